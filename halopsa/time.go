package halopsa

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// maxTaken is the longest time of one entry. More is nearly always minutes
// taken for hours.
const maxTaken = 24 * time.Hour

// days are what a duration is not counted in: one has 24 hours, or those that
// somebody works.
var days = regexp.MustCompile(`(?i)\d\s*d`)

// timeTaken reads a duration as Halo counts it, in decimal hours.
func timeTaken(name, text string) (float64, error) {
	taken, err := when.Duration(text)
	if err != nil {
		return 0, argument.Of(name, err)
	}
	if days.MatchString(text) {
		return 0, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: how many hours has a day?", name).WithHint("write hours, such as 8h")
	}
	if taken > maxTaken {
		return 0, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: %s is more than a day", name, taken).
			WithHint("log each day for itself; mind the unit, such as 45m or 1h30m")
	}
	return math.Round(taken.Hours()*1e4) / 1e4, nil
}

// LogTimeInput is time spent on a ticket.
type LogTimeInput struct {
	TicketID      int    `json:"ticket_id" minimum:"1"`
	Duration      string `json:"duration" jsonschema:"with unit: 45m, 1h30m, 1.5h"`
	Note          string `json:"note,omitempty" jsonschema:"Markdown"`
	Billable      *bool  `json:"billable,omitempty"`
	ChargeRate    string `json:"charge_rate,omitempty" jsonschema:"name or id"`
	StartedAt     string `json:"started_at,omitempty" jsonschema:"default: ended now"`
	Travel        string `json:"travel,omitempty" jsonschema:"travel time, such as 30m"`
	VisibleToUser bool   `json:"visible_to_user,omitempty"`
	Outcome       string `json:"outcome,omitempty" jsonschema:"name or id"`
}

// CallMarks implements [mcptools.CallMarks]. What an outcome does that is named
// is up to the tenant.
func (in LogTimeInput) CallMarks() mcptools.Mark {
	return marksOf(in.VisibleToUser || in.Outcome != "", true)
}

// LogTimeOutput says which time Halo has now.
type LogTimeOutput struct {
	ActionResult

	Minutes       int     `json:"minutes"`
	Hours         float64 `json:"hours"`
	TravelMinutes int     `json:"travel_minutes,omitempty"`
	ChargeRate    string  `json:"charge_rate,omitempty"`
	Started       string  `json:"started,omitempty"`
}

// LogTime logs time on a ticket as an action, private unless it is to be
// visible, and compares what Halo saved with what was asked. POST /Actions
func (c *Client) LogTime(ctx context.Context, in LogTimeInput) (*LogTimeOutput, error) {
	taken, err := timeTaken("duration", in.Duration)
	if err != nil {
		return nil, err
	}
	more := fields{"timetaken": taken}
	out := &LogTimeOutput{}
	if err := c.timeFields(ctx, in, taken, more, out); err != nil {
		return nil, err
	}
	t, o, err := c.ticketAndOutcome(ctx, in.TicketID, in.Outcome, forTime)
	if err != nil {
		return nil, err
	}
	done, reply, err := c.act(ctx, t, o, !in.VisibleToUser, more)
	if err != nil {
		return nil, err
	}
	out.Hours, out.Minutes = done.booked(reply, taken)
	out.ActionResult = *done
	return out, nil
}

// booked returns the time that Halo has after it was sent, in both units, and
// reports in the result when it is another.
func (r *ActionResult) booked(reply saved, sent float64) (hours float64, minutes int) {
	hours = sent
	if have, ok := reply.hours("timetaken"); ok {
		hours = have
		if !sameHours(have, sent) {
			// The problem says more than that the argument was ignored.
			r.Ignored = slices.DeleteFunc(r.Ignored, func(name string) bool { return name == argumentNames["timetaken"] })
			r.Problem = joinNonEmpty(". ", r.Problem, fmt.Sprintf("HaloPSA saved %s instead of %s: it may round, or have refused the time", orNone(have), spell(sent)))
		}
	}
	return hours, int(math.Round(hours * 60))
}

// timeFields adds what a time entry has beside its duration.
func (c *Client) timeFields(ctx context.Context, in LogTimeInput, taken float64, more fields, out *LogTimeOutput) error {
	if strings.TrimSpace(in.Note) != "" {
		html, err := noteHTML(in.Note, "markdown")
		if err != nil {
			return err
		}
		more["note_html"] = html
	}
	if in.Billable != nil {
		more["actisbillable"] = *in.Billable
	}
	if in.Travel != "" {
		travel, err := timeTaken("travel", in.Travel)
		if err != nil {
			return err
		}
		more["traveltime"] = travel
		out.TravelMinutes = int(math.Round(travel * 60))
	}
	if in.ChargeRate != "" {
		rate, err := c.resolve(ctx, "charge_rate", in.ChargeRate)
		if err != nil {
			return err
		}
		more["chargerate"] = rate.ID
		out.ChargeRate = rate.Name
	}
	if in.StartedAt == "" {
		return nil
	}
	if when.WholeDay(in.StartedAt) { // midnight is billed out of hours
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "started_at: a time of day is needed").WithHint("write it as %s 09:00", strings.TrimSpace(in.StartedAt))
	}
	now := time.Now()
	started, err := when.Instant(in.StartedAt, c.zone, now)
	if err != nil {
		return argument.Of("started_at", err)
	}
	if started.After(now) {
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "started_at: %s is in the future", started.In(c.zone).Format(time.RFC3339))
	}
	ended := started.Add(time.Duration(taken * float64(time.Hour)))
	more["actionarrivaldate"], more["actioncompletiondate"], more["datetime"] = halo(started), halo(ended), halo(ended)
	out.Started = c.stamp(moment{started})
	return nil
}

func orNone(hours float64) string {
	if text := spell(hours); text != "" {
		return text
	}
	return "no time"
}
