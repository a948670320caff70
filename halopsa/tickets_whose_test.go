package halopsa_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// another changes the objects that reads answer with, to what other tenants
// have.
type another struct {
	http.RoundTripper
	change func(path string, object map[string]any)
}

func (a another) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if json.Unmarshal(body, &object) == nil {
		a.change(r.URL.Path, object)
		if body, err = json.Marshal(object); err != nil {
			return nil, err
		}
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

func reading(change func(path string, object map[string]any)) func(*halopsa.Options) {
	return func(o *halopsa.Options) { o.Resilience.Base = another{resilience.NewBase(), change} }
}

// The names of a site and of a person are meant at the client that the ticket
// has: a ticket does not move to another client because only that one has a
// site, or somebody, of the name.
func TestNamesAreMeantAtTheTicketsClient(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	update := func(fields halopsa.TicketFields) (*halopsa.TicketWrite, error) {
		return s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketPrinter, TicketFields: fields})
	}
	for name, fields := range map[string]halopsa.TicketFields{
		"a site of another client":     {Site: "Roastery"},
		"somebody of another client":   {User: "Ole Hansen"},
		"the beginning of such a name": {User: "Ole"},
	} {
		_, err := update(fields)
		t.Run(name, func(t *testing.T) { fails(t, err, mcptools.CodeNotFound) })
	}
	if posts := s.posts(); len(posts) > 0 {
		t.Fatalf("there were writes: %v", posts)
	}
	if out, err := update(halopsa.TicketFields{Site: "Hall 3"}); err != nil || len(out.Ignored) > 0 {
		t.Errorf("the client's own site: %+v, %v", out, err)
	}
	if out, err := update(halopsa.TicketFields{User: "Jonas"}); err != nil || out.User != "Jonas Weber" {
		t.Errorf("the client's own user: %+v, %v", out, err)
	}
	out, err := update(halopsa.TicketFields{User: "ole.hansen@speicherkaffee.example"})
	if err != nil || out.User != "Ole Hansen" || out.Client != "Speicherstadt Kaffee" {
		t.Errorf("an address means itself: %+v, %v", out, err)
	}
}

// A ticket that goes to another client takes nobody of the old one along.
func TestAnotherClientsTicketHasAnotherUser(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.UpdateTicketInput{TicketID: halotest.TicketPrinter, TicketFields: halopsa.TicketFields{Client: "Alster"}}
	out, err := s.client.UpdateTicket(t.Context(), in)
	if err != nil || out.User != "General User" || out.Client != "Alster Dental" || len(out.Warnings) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = s.client.ReplyToUser(t.Context(), halopsa.ReplyInput{TicketID: halotest.TicketPrinter, Message: "hi"})
	fails(t, err, mcptools.CodeInvalidArguments, "no e-mail address")

	// A build that keeps the user all the same.
	s = start(t, halotest.Options{}, reading(func(path string, object map[string]any) {
		if strings.Contains(path, "/Tickets/") {
			object["user_id"], object["user_name"] = halotest.UserAnna, "Anna Berg"
		}
	}))
	out, err = s.client.UpdateTicket(t.Context(), in)
	if err != nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "still Anna Berg") {
		t.Errorf("%+v, %v", out, err)
	}
}

// Halo replaces the assets of a ticket: those that it has stay.
func TestAssetsAreAdded(t *testing.T) {
	t.Parallel()
	hidden := false
	s := start(t, halotest.Options{}, reading(func(path string, object map[string]any) {
		if hidden && strings.Contains(path, "/Tickets/") {
			delete(object, "assets")
		}
	}))
	in := halopsa.UpdateTicketInput{TicketID: halotest.TicketVPN}
	for _, step := range []struct{ add, want []int }{{[]int{2}, []int{2}}, {[]int{1, 2, 1}, []int{1, 2}}, {[]int{3}, []int{1, 2, 3}}} {
		in.AssetIDs = step.add
		out, err := s.client.UpdateTicket(t.Context(), in)
		if err != nil || len(out.Ignored)+len(out.Warnings) > 0 {
			t.Fatalf("%+v, %v", out, err)
		}
		record, _ := s.server.Ticket(halotest.TicketVPN)
		var have []int
		for _, asset := range record.List("assets") {
			have = append(have, asset.Int("id"))
		}
		if slices.Sort(have); !slices.Equal(have, step.want) {
			t.Errorf("after adding %v it has %v", step.add, have)
		}
	}
	hidden = true
	_, err := s.client.UpdateTicket(t.Context(), in)
	fails(t, err, mcptools.CodeNotSupported, "asset_ids")
}

// The value of an encrypted field cannot be read, and would be gone if the other
// fields were written without it.
func TestEncryptedFieldsAreNotLost(t *testing.T) {
	t.Parallel()
	const ticket = halotest.TicketSecondRaid + 70 // a service request, which has custom fields
	s := start(t, halotest.Options{}, reading(func(_ string, object map[string]any) {
		if list, ok := object["customfields"].([]any); ok && len(list) > 1 {
			field, _ := list[1].(map[string]any)
			field["isencrypted"], field["value"], field["display"] = true, "******", "******"
		}
	}))
	if record, _ := s.server.Ticket(ticket); len(record.List("customfields")) < 2 {
		t.Fatalf("the ticket has no custom fields: %v", record)
	}
	_, err := s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: ticket,
		TicketFields: halopsa.TicketFields{CustomFields: map[string]any{"Asset tag": "NL-1"}}})
	fails(t, err, mcptools.CodeNotSupported, "Cost centre")
	if posts := s.posts(); len(posts) > 0 {
		t.Errorf("there were writes: %v", posts)
	}
	if _, err = s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: ticket,
		TicketFields: halopsa.TicketFields{CustomFields: map[string]any{"Cost centre": "12"}}}); err != nil {
		t.Errorf("the encrypted field itself can be set: %v", err)
	}
}

func TestUpdateOfWhenAndHow(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.UpdateTicketInput{TicketID: halotest.TicketVPN}
	in.ReportedAt = "+2h"
	_, err := s.client.UpdateTicket(t.Context(), in)
	fails(t, err, mcptools.CodeInvalidArguments, "reported_at", "future")
	in.ReportedAt, in.SkipTemplate = "", true
	_, err = s.client.UpdateTicket(t.Context(), in)
	fails(t, err, mcptools.CodeInvalidArguments, "nothing to change")
	in.ReportedAt, in.Source, in.Details, in.Format = "2026-01-15 09:00", 4, "<p>It <b>drops</b></p>", "html"
	out, err := s.client.UpdateTicket(t.Context(), in)
	if err != nil || len(out.Ignored) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	record, _ := s.server.Ticket(halotest.TicketVPN)
	if record.String("dateoccurred") != "2026-01-15T08:00:00Z" || record.Int("source") != 4 || record.String("details_html") != in.Details {
		t.Errorf("%v", record)
	}
	if i := slices.IndexFunc(out.Changed, func(c halopsa.Change) bool { return c.Field == "reported_at" }); i < 0 || out.Changed[i].To != "2026-01-15T09:00+01:00" {
		t.Errorf("%+v", out.Changed)
	}
}

// To name the client that a ticket has already changes nothing of it.
func TestTheSameClientKeepsTheSite(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.UpdateTicketInput{TicketID: halotest.TicketPrinter, TicketFields: halopsa.TicketFields{Site: "Hall 3"}}
	if _, err := s.client.UpdateTicket(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	before, _ := s.server.Ticket(in.TicketID)
	in.Site, in.Client, in.Summary = "", "Hafen", "Label printer"
	out, err := s.client.UpdateTicket(t.Context(), in)
	after, _ := s.server.Ticket(in.TicketID)
	if err != nil || after.Int("site_id") != before.Int("site_id") || after.Int("user_id") != before.Int("user_id") || len(out.Changed) != 1 {
		t.Errorf("site %d, before %d: %+v, %v", after.Int("site_id"), before.Int("site_id"), out, err)
	}
}

// Halo replaces the custom fields of a ticket: those that it does not show would
// be gone.
func TestCustomFieldsThatAreNotShownAreNotLost(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{}, reading(func(path string, object map[string]any) {
		if strings.Contains(path, "/Tickets/") {
			delete(object, "customfields")
		}
	}))
	_, err := s.client.UpdateTicket(t.Context(), halopsa.UpdateTicketInput{TicketID: halotest.TicketSecondRaid + 70,
		TicketFields: halopsa.TicketFields{CustomFields: map[string]any{"Cost centre": "12"}}})
	fails(t, err, mcptools.CodeNotSupported, "custom_fields")
	if posts := s.posts(); len(posts) > 0 {
		t.Errorf("there were writes: %v", posts)
	}
}
