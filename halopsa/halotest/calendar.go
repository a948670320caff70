package halotest

import (
	"slices"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// sheet is what a timesheet is known by: every one has id 0 (research 3.5).
type sheet struct {
	agent int
	day   string
}

func calendarRoutes() map[string]handler {
	return map[string]handler{
		"GET /Appointment":            (*call).listAppointments,
		"GET /Appointment/{id}":       func(c *call) (any, error) { return c.find(c.data.appointments, "Appointment") },
		"POST /Appointment":           func(c *call) (any, error) { return c.each("appointments", c.saveAppointment) },
		"DELETE /Appointment/{id}":    func(c *call) (any, error) { return c.remove(c.data.appointments, "Appointment") },
		"GET /TimesheetEvent":         (*call).listEvents,
		"GET /TimesheetEvent/mine":    (*call).listMyEvents,
		"GET /TimesheetEvent/{id}":    func(c *call) (any, error) { return c.find(c.data.events, "Timesheet event") },
		"POST /TimesheetEvent":        func(c *call) (any, error) { return c.each("events", c.saveEvent) },
		"DELETE /TimesheetEvent/{id}": func(c *call) (any, error) { return c.remove(c.data.events, "Timesheet event") },
		"GET /Timesheet":              (*call).listTimesheets,
		"GET /Timesheet/mine":         (*call).listTimesheets,
		"GET /Timesheet/{id}":         (*call).getTimesheet,
		"POST /Timesheet":             func(c *call) (any, error) { return c.each("timesheets", c.saveTimesheet) },
		"GET /Holiday":                (*call).listHolidays,
		"GET /Workday":                func(c *call) (any, error) { return c.bare(c.data.workdays.all()) },
		"GET /Workday/{id}":           func(c *call) (any, error) { return c.find(c.data.workdays, "Workday") },
	}
}

// Appointments returns all appointments by id.
func (s *Server) Appointments() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.data.appointments.all())
}

// TimesheetEvents returns all timesheet events by id.
func (s *Server) TimesheetEvents() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.data.events.all())
}

// listAppointments filters by agents, a list of ids; agent_id is no parameter
// of it (research 0.4).
func (c *call) listAppointments() (any, error) {
	q := c.query
	from, err := q.between("end_date", "start_date", "")
	if err != nil {
		return nil, err
	}
	to, err := q.between("start_date", "", "end_date")
	if err != nil {
		return nil, err
	}
	agents := q.ids("agents")
	return c.reply(listing{key: "appointments", rows: c.data.appointments.where(from, to,
		q.within("client_id", "client_id"), q.within("ticket_id", "ticket_id"), q.contains("search", "subject"),
		func(row Record) bool {
			return agents == nil || slices.ContainsFunc(row.List("agents"), func(a Record) bool { return agents[a.Int("id")] })
		},
		func(row Record) bool { return !q.flag("tasksonly") || row.Bool("is_task") },
		func(row Record) bool { return !q.flag("appointmentsonly") || !row.Bool("is_task") },
		func(row Record) bool { return !q.flag("hidecompleted") || row.Int("complete_status") < 0 },
	)})
}

// saveAppointment refuses a clash unless _force or _appointment01_ok is sent.
func (c *call) saveAppointment(in Record) (Record, error) {
	base := Record{"allday": false, "is_task": false, "is_private": false, "complete_status": -1, "complete_date": none, "ticket_id": 0, "client_id": 0,
		"site_id": 0, "user_id": 0, "note": "", "appointment_type_id": 1}
	if id := in.Int("id"); id != 0 {
		old, ok := c.data.appointments.rows[id]
		if !ok {
			return nil, notFound("Appointment", id)
		}
		base = old
	}
	row := base.with(plainFields(in))
	start, end := row.Time("start_date"), row.Time("end_date")
	if start.IsZero() || end.Before(start) || row.String("subject") == "" {
		return nil, refuse(ErrorSentence, "Please enter a subject and valid dates for the Appointment")
	}
	agents := []Record{}
	for _, agent := range row.List("agents") {
		known, ok := c.data.agents.rows[agent.Int("id")]
		if !ok {
			return nil, refuse(ErrorException, "The Agent is not valid.")
		}
		agents = append(agents, known.only("id", "name"))
	}
	if len(agents) == 0 {
		agent := row.Int("agent_id")
		if agent == 0 {
			agent = c.agent
		}
		agents = append(agents, c.data.agents.rows[agent].only("id", "name"))
	}
	row["agents"], row["agent_id"], row["agent_name"] = agents, agents[0].Int("id"), agents[0].String("name")
	if !in.Bool("_force") && !in.Bool("_appointment01_ok") && c.clashes(row, start, end) {
		return nil, refuse(ErrorMessage, "The Appointment clashes with another Appointment of the Agent.")
	}
	if in.Int("complete_status") >= 0 && in.has("complete_status") {
		row["complete_date"] = local(c.now)
	}
	if row.Int("id") != 0 {
		c.data.appointments.put(row)
		return row, nil
	}
	return c.data.appointments.add(row), nil
}

func (c *call) clashes(row Record, start, end time.Time) bool {
	return slices.ContainsFunc(c.data.appointments.all(), func(other Record) bool {
		same := slices.ContainsFunc(other.List("agents"), func(a Record) bool {
			return slices.ContainsFunc(row.List("agents"), func(b Record) bool { return a.Int("id") == b.Int("id") })
		})
		return same && other.Int("id") != row.Int("id") && !other.Bool("is_task") && !row.Bool("is_task") &&
			start.Before(other.Time("end_date")) && other.Time("start_date").Before(end)
	})
}

func (c *call) listEvents() (any, error) {
	dated, err := c.query.between("start_date", "start_date", "end_date")
	if err != nil {
		return nil, err
	}
	return c.bare(c.data.events.where(dated, c.query.within("agent_id", "agent_id", "agents")))
}

func (c *call) listMyEvents() (any, error) {
	return c.bare(c.data.events.where(func(row Record) bool { return row.Int("agent_id") == c.agent }))
}

// eventOf is the timesheet event of an action.
func eventOf(ticket, action Record, now time.Time) Record {
	taken := time.Duration(action.Float("timetaken") * float64(time.Hour))
	end := action.Time("datetime")
	if arrival := action.Time("actionarrivaldate"); !arrival.IsZero() {
		end = arrival.Add(taken)
	} else if end.IsZero() {
		end = now
	}
	return Record{
		"event_type": 0, "subject": ticket["summary"], "start_date": local(end.Add(-taken)), "end_date": local(end), "timetaken": action.Float("timetaken"),
		"agent_id": action["who_agentid"], "ticket_id": ticket["id"], "action_number": action["id"], "note": action["note"], "customer": ticket["client_name"],
		"client_id": ticket["client_id"], "site_id": ticket["site_id"], "user_name": ticket["user_name"], "charge_rate": action["chargerate"],
		"traveltime": action.Float("traveltime"),
	}
}

// saveEvent: timetaken is in hours, or follows from the dates.
func (c *call) saveEvent(in Record) (Record, error) {
	if in.Int("id") != 0 {
		return c.update(c.data.events, in, "Timesheet event")
	}
	start, end := in.Time("start_date"), in.Time("end_date")
	if start.IsZero() {
		return nil, refuse(ErrorSentence, "A start date must be entered for this event")
	}
	row := Record{"agent_id": c.agent, "event_type": 0, "note": "", "subject": "", "timetaken": 0.0}.with(plainFields(in))
	if !in.has("timetaken") && end.After(start) {
		row["timetaken"] = end.Sub(start).Hours()
	}
	return c.data.events.add(row), nil
}

// timesheet returns an agent's day: id 0, hours summed up from the events.
func (c *call) timesheet(key sheet) Record {
	row, ok := c.data.timesheets[key]
	if !ok {
		row = Record{"start_time": none, "end_time": none, "approval": Record{"status": 0}}
	}
	events := c.data.events.where(func(event Record) bool {
		return event.Int("agent_id") == key.agent && event.Time("start_date").Format(time.DateOnly) == key.day
	})
	hours := 0.0
	for _, event := range events {
		hours += event.Float("timetaken")
	}
	return row.with(Record{"id": 0, "agent_id": key.agent, "agent_name": c.data.agents.rows[key.agent]["name"], "date": key.day + "T00:00:00",
		"target_hours": 8.0, "actual_hours": hours, "work_hours": hours, "chargeable_hours": hours, "unlogged_hours": max(0, 8-hours), "events": events})
}

func (c *call) listTimesheets() (any, error) {
	rows := []Record{}
	for back := range 7 {
		rows = append(rows, c.timesheet(sheet{c.agent, c.now.AddDate(0, 0, -back).Format(time.DateOnly)}))
	}
	return c.bare(rows)
}

func (c *call) getTimesheet() (any, error) {
	agent, ok := c.query.number("agent_id")
	date, dated, err := c.query.date("date")
	if err != nil {
		return nil, err
	}
	if !ok || !dated {
		return nil, refuse(ErrorMessage, "An Agent and a date are needed to find a Timesheet.")
	}
	return c.timesheet(sheet{agent, date.Format(time.DateOnly)}), nil
}

// saveTimesheet: _submitapproval, _approve and _reject decide on the day.
func (c *call) saveTimesheet(in Record) (Record, error) {
	date := in.Time("date")
	if date.IsZero() || in.Int("agent_id") == 0 {
		return nil, refuse(ErrorMessage, "An Agent and a date are needed to save a Timesheet.")
	}
	key := sheet{in.Int("agent_id"), date.Format(time.DateOnly)}
	row := c.timesheet(key).with(in.only("start_time", "end_time"))
	for flag, status := range map[string]int{"_submitapproval": 1, "_approve": 2, "_reject": 3} {
		if !in.Bool(flag) {
			continue
		}
		if status > 1 && c.agent != AgentTom {
			c.violate(fakehttp.SilentlyIgnored, "only the service manager decides on timesheets")
			continue
		}
		row["approval"] = Record{"status": status}
	}
	c.data.timesheets[key] = row.without("events")
	return c.timesheet(key), nil
}

func (c *call) listHolidays() (any, error) {
	from, err := c.query.between("end_date", "start_date", "")
	if err != nil {
		return nil, err
	}
	to, err := c.query.between("date", "", "end_date")
	if err != nil {
		return nil, err
	}
	return c.bare(c.data.holidays.where(from, to, c.query.within("agent_id", "agent_id")))
}
