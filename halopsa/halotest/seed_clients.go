package halotest

import (
	"fmt"
	"strings"
	"time"
)

// Clients. ClientUnknown is where e-mail of strangers goes.
const (
	ClientUnknown       = 1
	ClientHafen         = 12 // Hafen Logistik GmbH
	ClientAlster        = 13 // Alster Dental
	ClientElbe          = 14 // Elbe Architekten
	ClientKontor        = 15 // Kontor Nord Steuerberatung
	ClientSpeicher      = 16 // Speicherstadt Kaffee
	ClientElbeEngineers = 17 // Elbe Ingenieure: its name is easily taken for Elbe Architekten
	ClientFormer        = 18 // Veddel Druck, a former client: inactive
	SiteHafenHQ         = 21
	SiteHafenHall3      = 22
	SiteAlster          = 23
	UserAnna            = 101
	UserJonas           = 102
	UserMira            = 103
	UserLena            = 104
	userGeneralOffset   = 900 // the General User of client n has id 900 + n
)

// End users who exist in Microsoft 365 as well: their addresses, and their
// object ids in Entra, which Halo keeps in azureoid. Package graphtest has the
// same people, so that a story can go through both systems.
const (
	AnnaBergEmail   = "anna.berg@hafenlogistik.example"
	AnnaBergEntraID = "d3b80424-1d23-4e2a-ad13-2e5de3564aff"

	JonasWeberEmail   = "jonas.weber@hafenlogistik.example"
	JonasWeberEntraID = "aa160ddd-efde-4503-829b-8862362b9655"

	MiraKochEmail   = "mira.koch@hafenlogistik.example"
	MiraKochEntraID = "9c22bea5-04af-4a81-9fc6-92a7cf643684"

	LenaVogtEmail   = "lena.vogt@alsterdental.example"
	LenaVogtEntraID = "52bcacf2-863b-4c76-97cb-a6df38607022"
)

// contact is an end user in the making.
type contact struct {
	id                   int
	name, email, entraID string
	client, site         int
}

func contacts() []contact {
	return []contact{
		{UserAnna, "Anna Berg", AnnaBergEmail, AnnaBergEntraID, ClientHafen, SiteHafenHQ},
		{UserJonas, "Jonas Weber", JonasWeberEmail, JonasWeberEntraID, ClientHafen, SiteHafenHall3},
		{UserMira, "Mira Koch", MiraKochEmail, MiraKochEntraID, ClientHafen, SiteHafenHQ},
		{UserLena, "Dr. Lena Vogt", LenaVogtEmail, LenaVogtEntraID, ClientAlster, SiteAlster},
		{105, "Piet Claasen", "piet.claasen@alsterdental.example", "", ClientAlster, SiteAlster},
		{106, "Sofia Brandt", "sofia.brandt@elbearchitekten.example", "", ClientElbe, 24},
		{107, "Malte Fries", "malte.fries@kontornord.example", "", ClientKontor, 25},
		{108, "Inken Paulsen", "inken.paulsen@kontornord.example", "", ClientKontor, 26},
		{109, "Ole Hansen", "ole.hansen@speicherkaffee.example", "", ClientSpeicher, 27},
		{110, "Anna Berger", "anna.berger@elbeingenieure.example", "", ClientElbeEngineers, 28},
		{111, "Karl Dahms", "karl.dahms@veddeldruck.example", "", ClientFormer, 29},
	}
}

func (d *data) seedClients(now time.Time) {
	d.clients, d.sites, d.users = newTable(), newTable(), newTable()
	for _, c := range []struct {
		id       int
		name     string
		domain   string
		sites    map[int]string
		inactive bool
	}{
		{ClientUnknown, "Unknown", "", map[int]string{1: "Unknown"}, false},
		{ClientHafen, "Hafen Logistik GmbH", "hafenlogistik.example", map[int]string{SiteHafenHQ: "Hamburg HQ", SiteHafenHall3: "Hall 3"}, false},
		{ClientAlster, "Alster Dental", "alsterdental.example", map[int]string{SiteAlster: "Practice"}, false},
		{ClientElbe, "Elbe Architekten", "elbearchitekten.example", map[int]string{24: "Main"}, false},
		{ClientKontor, "Kontor Nord Steuerberatung", "kontornord.example", map[int]string{25: "Main", 26: "Lübeck"}, false},
		{ClientSpeicher, "Speicherstadt Kaffee", "speicherkaffee.example", map[int]string{27: "Roastery"}, false},
		{ClientElbeEngineers, "Elbe Ingenieure", "elbeingenieure.example", map[int]string{28: "Main"}, false},
		{ClientFormer, "Veddel Druck", "veddeldruck.example", map[int]string{29: "Main"}, true},
	} {
		main := 0
		for id, name := range c.sites {
			if main == 0 || id < main {
				main = id
			}
			d.sites.put(Record{
				"id": id, "name": name, "client_id": decimal(c.id), "client_name": c.name, "clientsite_name": c.name + "/" + name,
				"inactive": c.inactive, "sla_id": 0, "phonenumber": fmt.Sprintf("+49 40 555 %04d", 10*id), "timezone": "W. Europe Standard Time",
				"isstocklocation": false, "country_code": "49", "colour": "#8d99ae",
			})
		}
		d.clients.put(Record{
			"id": c.id, "name": c.name, "toplevel_id": 1, "toplevel_name": "Nordlicht IT Customers", "inactive": c.inactive,
			"main_site_id": main, "main_site_name": c.sites[main], "website": "https://www." + c.domain, "domain": c.domain,
			"accountmanagertech": AgentTom, "accountmanagertech_name": "Tom Lindqvist", "colour": "#8d99ae",
			"datecreated": local(now.AddDate(-3, 0, -c.id)), "notes": "", "is_account": true, "prepayasamount": false,
			"customfields": []Record{{"id": 301, "name": "CFServiceLevel", "label": "Service level", "type": 0, "value": "Standard", "display": "Standard"},
				{"id": 302, "name": "CFBackupVendor", "label": "Backup vendor", "type": 0, "value": "Norddata", "display": "Norddata"}},
		})
		d.users.put(Record{"id": userGeneralOffset + c.id, "name": "General User", "firstname": "General", "surname": "User",
			"site_id": decimal(main), "site_id_int": main, "site_name": c.sites[main], "client_id": c.id, "client_name": c.name,
			"emailaddress": "", "azureoid": "", "inactive": c.inactive, "isserviceaccount": false, "generaluser": true})
	}
	for _, c := range contacts() {
		d.users.put(d.user(c))
	}
}

func (d *data) user(u contact) Record {
	names := strings.Fields(strings.TrimPrefix(u.name, "Dr. "))
	site := d.sites.rows[u.site]
	row := Record{
		"id": u.id, "name": u.name, "firstname": names[0], "surname": names[1], "initials": names[0][:1] + names[1][:1], "title": "",
		"site_id": decimal(u.site), "site_id_int": u.site, "site_name": site["name"], "client_id": u.client, "client_name": site["client_name"],
		"emailaddress": u.email, "email2": "", "email3": "", "login": u.email, "networklogin": "", "azureoid": u.entraID, "aaduserid": u.entraID,
		"phonenumber": fmt.Sprintf("+49 40 555 9%03d", u.id), "mobilenumber": "", "phonenumber_preferred": fmt.Sprintf("+49 40 555 9%03d", u.id),
		"inactive": u.client == ClientFormer, "isimportantcontact": u.id == UserLena, "isserviceaccount": false,
		"neversendemails": false, "colour": "#8d99ae", "customfields": []Record{},
	}
	if strings.HasPrefix(u.name, "Dr. ") {
		row["title"] = "Dr."
	}
	return row
}
