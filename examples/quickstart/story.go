package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// tour tells the whole story.
func tour(ctx context.Context, p *page) error {
	start := time.Now()
	s, err := newStage(ctx, p)
	defer s.close()
	if err != nil {
		return err
	}
	for _, chapter := range []func(context.Context, *stage) error{
		showTools, readTheMail, openTheTicket, bookAndAnswer, throttled, mistaken,
	} {
		if err := chapter(ctx, s); err != nil {
			return err
		}
	}
	p.chapter("What the systems saw")
	p.say("Microsoft 365: %d requests, %d that the real service would refuse or ignore.", len(s.m365.Requests()), len(s.m365.Violations()))
	p.say("HaloPSA: %d requests, %d that the real service would refuse or ignore.", len(s.halo.Requests()), len(s.halo.Violations()))
	p.say("All of it took %s. Next: go run ./examples/server -demo", time.Since(start).Round(100*time.Millisecond))
	return nil
}

func showTools(_ context.Context, s *stage) error {
	s.page.chapter("The tools")
	s.page.say("Each tool is a Go method with a schema. A model pays for its name, description and arguments:")
	type group struct {
		system, name string
		tools        []string
		tokens       int
	}
	var groups []group
	for tool := range s.tools.All() {
		spec := tool.Spec()
		system, name, _ := strings.Cut(spec.Name, "_")
		if len(groups) == 0 || groups[len(groups)-1].name != spec.Toolset || groups[len(groups)-1].system != system {
			groups = append(groups, group{system: system, name: spec.Toolset})
		}
		g := &groups[len(groups)-1]
		g.tools = append(g.tools, name)
		g.tokens += tokens(tool)
	}
	for _, g := range groups {
		s.page.printf("    %-5s %-10s %2d tools %5d tokens  %s\n", g.system, g.name, len(g.tools), g.tokens,
			s.page.paint(dim, shorten(strings.Join(g.tools, ", "), 72)))
	}
	all, preset := s.tools, s.everyday
	s.page.say("All %d tools are about %d tokens; the preset “user” has %d tools and %d tokens.", all.Len(), cost(all), preset.Len(), cost(preset))
	return nil
}

// tokens estimates what a model pays for a tool.
func tokens(tool mcptools.Tool) int { return (tool.Cost() + 3) / 4 }

func cost(tools mcptools.Set) int {
	sum := 0
	for tool := range tools.All() {
		sum += tokens(tool)
	}
	return sum
}

func readTheMail(ctx context.Context, s *stage) error {
	p := s.page
	p.chapter("1. Sam, technician at Nordlicht IT, asks: anything broken this morning?")
	found, err := s.must(ctx, "m365_mail_search", map[string]any{"unread": true, "from": "anna.berg@hafenlogistik.example", "limit": 3})
	if err != nil {
		return err
	}
	mail := found.first()
	s.mail = mail.text("id")
	p.result("%s  %s  “%s”", mail.text("time"), mail.text("from"), mail.text("subject"))
	full, err := s.must(ctx, "m365_mail_get", map[string]any{"id": mail.text("id")})
	if err != nil {
		return err
	}
	p.result("%s", shorten(full.text("body"), 240))
	return nil
}

func openTheTicket(ctx context.Context, s *stage) error {
	p := s.page
	p.chapter("2. Who is that in the service desk? Open a ticket and note the time")
	person, err := s.must(ctx, "m365_people_find", map[string]any{"query": "Anna Berg"})
	if err != nil {
		return err
	}
	address := person.first().text("address")
	p.result("%s <%s>", person.first().text("name"), address)
	contact, err := s.must(ctx, "halo_users_search", map[string]any{"email": address})
	if err != nil {
		return err
	}
	user := contact.first()
	p.result("HaloPSA contact %s: %s, %s", user.text("id"), user.text("name"), user.text("client"))
	ticket, err := s.must(ctx, "halo_tickets_create", map[string]any{
		"summary": "Label printer in hall 3 prints blank labels", "user": address, "ticket_type": "Incident",
		"details":    "Reported by mail. Labels come out **blank** since this morning; drivers were reinstalled already.",
		"category_1": "Hardware>Printer", "agent": "me",
	})
	if err != nil {
		return err
	}
	s.ticket = ticket["id"]
	p.result("ticket %s, %s, %s", ticket.text("id"), ticket.text("status"), ticket.text("priority"))
	logged, err := s.must(ctx, "halo_time_log", map[string]any{
		"ticket_id": ticket["id"], "duration": "45m", "note": "Remote session: calibrated the label sensor.",
	})
	if err != nil {
		return err
	}
	p.result("%s minutes = %s hours, private", logged.text("minutes"), logged.text("hours"))
	return nil
}

func bookAndAnswer(ctx context.Context, s *stage) error {
	p := s.page
	p.chapter("3. Book the visit and answer the mail (others see it, so the user is asked)")
	tomorrow := time.Now().AddDate(0, 0, 1).Format("2006-01-02")
	event, err := s.must(ctx, "m365_cal_create", map[string]any{
		"subject": "On site: label printer, hall 3", "start": tomorrow + "T10:00", "end": tomorrow + "T11:00",
		"attendees": []string{"anna.berg@hafenlogistik.example"}, "location": "Hafen Logistik, hall 3",
	})
	if err != nil {
		return err
	}
	p.result("booked %s to %s", event.text("start"), event.text("end"))
	sent, err := s.must(ctx, "m365_mail_reply", map[string]any{
		"id": s.mail, "mode": "reply",
		"body": fmt.Sprintf("Hello Anna,\n\nthe sensor is calibrated; a colleague comes by tomorrow at 10:00 to check. Your ticket is **%v**.\n\nSam", s.ticket),
	})
	if err != nil {
		return err
	}
	p.result("%s", sent.text("status"))
	return nil
}

func throttled(ctx context.Context, s *stage) error {
	p := s.page
	p.chapter("4. The service says “429, come back in a second”")
	s.m365.Faults().Next(1, "GET", "/messages", graphtest.Answer{Status: 429, RetryAfter: "1"})
	found, err := s.must(ctx, "m365_mail_search", map[string]any{"query": "printer", "limit": 1})
	if err != nil {
		return err
	}
	p.result("the transport waited as asked and found “%s”; a write would have been safe, too", found.first().text("subject"))
	return nil
}

func mistaken(ctx context.Context, s *stage) error {
	p := s.page
	p.chapter("5. The model makes mistakes: every one is named at once, and nothing is done")
	_, failure, err := s.call(ctx, "halo_time_log", map[string]any{"tiket_id": 7, "duration": "", "billable": "perhaps"})
	if err != nil {
		return err
	}
	p.failure(failure)
	p.say("A name that fits two clients is not guessed:")
	_, failure, err = s.call(ctx, "halo_tickets_search", map[string]any{"client": "Elbe"})
	if err != nil {
		return err
	}
	p.failure(failure)
	return nil
}
