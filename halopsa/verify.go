package halopsa

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// fields are the fields of an object that is written to Halo.
type fields map[string]any

// saved is an object as Halo answered that it has it.
type saved map[string]json.RawMessage

// save writes one object. Halo drops fields that it does not know and values
// that it does not like without a word: look at what ignored says.
func (c *Client) save(ctx context.Context, path string, object fields) (saved, error) {
	var reply saved
	if err := c.post(ctx, path, nil, object, &reply); err != nil {
		return nil, err
	}
	if reply.truth("_warning_is_error") { // a refusal in the shape of a success
		return nil, mcptools.Errorf(mcptools.CodeConflict, "HaloPSA did not save it: %s", reply.warning()).
			WithHint("deal with what HaloPSA says, then try again")
	}
	return reply, nil
}

// warning is the sentence with which Halo qualifies a success, or "".
func (s saved) warning() string {
	var text string
	if json.Unmarshal(s["_warning"], &text) != nil {
		return ""
	}
	return rest.Sentence(text)
}

// flags are fields that steer a write and are not kept.
var flags = []string{"id", "donotapplytemplateintheapi", "dont_do_rules", "userlookup", "attachments", "sendemail", "send_survey", "issitedetails"}

// argumentNames are the arguments that fields come from, where the names differ.
var argumentNames = map[string]string{
	"details_html": "details", "note_html": "note", "tickettype_id": "ticket_type", "client_id": "client", "site_id": "site",
	"user_id": "user", "agent_id": "agent", "team_id": "team", "priority_id": "priority", "status_id": "status",
	"customfields": "custom_fields", "assets": "asset_ids", "dateoccurred": "reported_at", "timetaken": "time", "hiddenfromuser": "private",
	"new_status": "status", "new_agent": "agent", "new_team": "team", "new_priority": "priority", "outcome_id": "outcome",
	"actisbillable": "billable", "chargerate": "charge_rate", "traveltime": "travel", "emailsubject": "subject",
	"actionarrivaldate": "started_at", "actioncompletiondate": "started_at", "datetime": "started_at",
}

// ignored returns the arguments whose fields are not as they were sent, and
// whether the object lacks fields that this could be told from.
func (s saved) ignored(sent fields) (arguments []string, lacks bool) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if strings.HasPrefix(name, "_") || slices.Contains(flags, name) {
			continue
		}
		have, ok := s[name]
		if !ok {
			lacks = true
			continue
		}
		if same(name, sent[name], have) {
			continue
		}
		argument := name
		if known, ok := argumentNames[name]; ok {
			argument = known
		}
		arguments = append(arguments, argument)
	}
	return arguments, lacks
}

// same compares a value as it was sent with the one that Halo has.
func same(name string, sent any, have json.RawMessage) bool {
	text, err := json.Marshal(sent)
	if err != nil {
		return false
	}
	var a, b any
	if json.Unmarshal(text, &a) != nil || json.Unmarshal(have, &b) != nil {
		return false
	}
	switch name {
	case "customfields", "assets":
		return contains(b, a)
	case "details_html", "note_html":
		return sameText(a, b)
	case "timetaken", "traveltime":
		first, isNumber := a.(float64)
		second, told := b.(float64)
		return isNumber && told && sameHours(first, second)
	}
	return equal(a, b)
}

// sameHours compares hours roughly: some builds keep two decimals.
func sameHours(a, b float64) bool { return math.Abs(a-b) <= 0.01 && (a == 0) == (b == 0) }

func equal(a, b any) bool {
	if a == nil || b == nil {
		return isNothing(a) && isNothing(b)
	}
	first, second := strings.TrimSpace(fmt.Sprint(a)), strings.TrimSpace(fmt.Sprint(b))
	if strings.EqualFold(first, second) {
		return true
	}
	return sameInstant(first, second)
}

func isNothing(v any) bool { return v == nil || v == "" || v == 0.0 || v == false }

func sameInstant(a, b string) bool {
	first, second := instant(a), instant(b)
	return !first.IsZero() && first.Truncate(time.Minute).Equal(second.Truncate(time.Minute))
}

// sameText compares HTML by what a reader sees: Halo may tidy it.
func sameText(a, b any) bool {
	var texts [2]string
	for i, v := range []any{a, b} {
		source, _ := v.(string)
		text, err := markup.FromHTML(source)
		if err != nil {
			return false
		}
		texts[i] = strings.Join(strings.Fields(text), " ")
	}
	return texts[0] == texts[1]
}

// contains reports whether a list has every element that was sent, told by id.
func contains(have, sent any) bool {
	all, _ := have.([]any)
	wanted, _ := sent.([]any)
	for _, element := range wanted {
		want, _ := element.(map[string]any)
		if !slices.ContainsFunc(all, func(candidate any) bool {
			field, _ := candidate.(map[string]any)
			value, sent := want["value"]
			return equal(field["id"], want["id"]) && (!sent || equal(field["value"], value))
		}) {
			return false
		}
	}
	return true
}
