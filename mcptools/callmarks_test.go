package mcptools_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

type postInput struct {
	Text   string `json:"text"`
	Public bool   `json:"public,omitempty"`
	Hours  int    `json:"hours,omitempty"`
}

// CallMarks returns more than the spec has, which must not count.
func (in postInput) CallMarks() mcptools.Mark {
	marks := mcptools.Privileged
	if in.Public {
		marks |= mcptools.Outbound
	}
	if in.Hours > 0 {
		marks |= mcptools.Financial
	}
	return marks
}

// TestCallMarks: a person is asked about the calls that have a mark, and told
// which; filters see all marks that a call can have.
func TestCallMarks(t *testing.T) {
	t.Parallel()
	var asked []mcptools.Question
	set := mcptools.NewSet(mcptools.Define(mcptools.Spec{
		Name: "toy_post", Title: "Post", Toolset: "toy", Description: "Post it.", Effect: mcptools.Additive,
		Marks: mcptools.Outbound | mcptools.Financial | mcptools.Untrusted,
	}, func(_ context.Context, in postInput) (word, error) { return word{in.Text}, nil })).
		With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: func(_ context.Context, q mcptools.Question) (bool, error) {
			asked = append(asked, q)
			return false, nil
		}}))
	for _, tt := range []struct {
		args, warning string
		marks         mcptools.Mark
	}{
		{`{"text":"a"}`, "", 0},
		{`{"text":"a","public":false,"hours":null}`, "", 0},
		{`{"text":"a","public":true}`, "Other people may see it.\n", mcptools.Outbound | mcptools.Untrusted},
		{`{"text":"a","public":"true"}`, "Other people may see it.\n", mcptools.Outbound | mcptools.Untrusted}, // is mended
		{`{"text":"a","hours":2}`, "It changes what somebody pays.\n", mcptools.Financial | mcptools.Untrusted},
	} {
		asked = nil
		_, err := set.Call(t.Context(), "toy_post", json.RawMessage(tt.args))
		if tt.marks == 0 {
			if err != nil || asked != nil {
				t.Errorf("%s: error %v, asked %v", tt.args, err, asked)
			}
			continue
		}
		if !errors.Is(err, mcptools.CodeDeclined) || len(asked) != 1 {
			t.Fatalf("%s: error %v, asked %v", tt.args, err, asked)
		}
		if q := asked[0]; q.Tool.Marks != tt.marks || !strings.HasPrefix(q.Text, "Post (toy_post)?\n"+tt.warning) {
			t.Errorf("%s: asked about %s: %q", tt.args, q.Tool.Marks, q.Text)
		}
	}
	if set.Keep(mcptools.Not(mcptools.Risky)).Len() != 0 {
		t.Error("a filter does not see the marks that a call can have")
	}
	asked = nil
	if _, err := set.Call(t.Context(), "toy_post", json.RawMessage(`{"public":true}`)); !errors.Is(err, mcptools.CodeInvalidArguments) || asked != nil {
		t.Errorf("a call that is not valid: error %v, asked %v", err, asked)
	}
}

type brokenInput struct {
	Text string `json:"text"`
}

func (brokenInput) CallMarks() mcptools.Mark { panic("broken") }

// TestCallMarksThatPanic: the call does not run.
func TestCallMarksThatPanic(t *testing.T) {
	t.Parallel()
	ran := false
	set := mcptools.NewSet(mcptools.Define(mcptools.Spec{Name: "toy_post", Title: "Post", Toolset: "toy", Description: "Post it.", Marks: mcptools.Outbound},
		func(_ context.Context, in brokenInput) (word, error) { ran = true; return word{in.Text}, nil })).
		With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: func(context.Context, mcptools.Question) (bool, error) { return true, nil }}))
	if _, err := set.Call(t.Context(), "toy_post", json.RawMessage(`{"text":"a"}`)); !errors.Is(err, mcptools.CodeInternal) || ran {
		t.Errorf("error %v, ran %v", err, ran)
	}
}
