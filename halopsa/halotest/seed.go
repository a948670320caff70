package halotest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// data is everything the company has.
type data struct {
	agents, teams                                                          *table
	statuses, slas, priorities, ticketTypes, categories                    *table
	outcomes, workflows, lookups, areas, topLevels, canned, faqLists, tags *table
	clients, sites, users                                                  *table
	tickets, attachments, todos, approvals, feedback                       *table
	assets, assetTypes, contracts, invoices                                *table
	appointments, events, workdays, holidays, articles, notes, fields      *table
	timesheets                                                             map[sheet]Record

	actions map[int]*table   // by ticket: ids are numbered within it
	audits  map[int][]Record // by ticket: what was changed
	sent    []Mail
	hidden  map[int]closing // by status: what Halo knows and does not tell
	large   largeObjects
}

// seed builds the company as it is at a point in time.
func seed(now time.Time) *data {
	now = now.UTC().Truncate(time.Minute)
	d := &data{actions: map[int]*table{}, audits: map[int][]Record{}, timesheets: map[sheet]Record{}}
	d.seedPeople()
	d.seedLookups()
	d.seedTypes()
	d.seedClients(now)
	d.seedAssets(now)
	d.seedBilling(now)
	d.seedTickets(now)
	d.seedCalendar(now)
	d.seedKnowledge(now)
	return d
}

// guid derives a stable GUID from a name.
func guid(name string) string {
	sum := sha256.Sum256([]byte(name))
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// named makes rows of a reference list from names, numbered from 1.
func named(kind string, names ...string) *table {
	t := newTable()
	for _, name := range names {
		t.add(Record{"name": name, "guid": guid(kind + name)})
	}
	return t
}

// largeObjects are the definitions that make a raw ticket huge.
type largeObjects struct {
	typeFields []Record
	userFields []Record
}

// definitions makes the field definitions that a large ticket type carries:
// about 700 bytes each on the wire.
func definitions(kind string, n int) []Record {
	rows := make([]Record, n)
	for i := range rows {
		name := fmt.Sprintf("%s%03d", kind, i+1)
		rows[i] = Record{
			"id": i + 1, "guid": guid(name), "seq": i + 1, "fieldid": 500 + i, "technew": 1, "techdetail": 1,
			"endusernew": 0, "enduserdetail": 0, "visibility_conditions": []Record{}, "value_restrictions": []Record{},
			"fieldinfo": Record{
				"id": 500 + i, "guid": guid("info" + name), "name": "CF" + name, "label": "Check " + name, "type": 0,
				"summary": "Recorded by the duty manager while a major incident is open", "usage": 1, "inputtype": 0,
				"characterlimit": 0, "characterlimittype": 0, "copytochild": false, "copytoparent": false,
				"searchable": false, "user_searchable": false, "calendar_searchable": false, "validation_data": []Record{},
				"database_lookup_id": 0, "hyperlink": "", "third_party_name": "", "custom": 1, "mandatory": false,
			},
		}
	}
	return rows
}
