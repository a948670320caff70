package mcptools_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Point is a nested argument.
type Point struct {
	Name string `json:"name"`
	X    int    `json:"x,omitempty"`
	Kind string `json:"kind,omitempty" enum:"dot,ring" default:"dot"`
}

// ProbeInput has an argument of every kind.
type ProbeInput struct {
	ID     string            `json:"id"`
	Mode   string            `json:"mode,omitempty" enum:"soft,hard"`
	Short  string            `json:"short,omitempty" maxLength:"5"`
	Count  int64             `json:"count,omitempty"`
	Small  int8              `json:"small,omitempty"`
	Top    int               `json:"top,omitempty" minimum:"1" maximum:"50" default:"10"`
	Ratio  float64           `json:"ratio,omitempty"`
	On     bool              `json:"on,omitempty"`
	To     []string          `json:"to,omitempty" maxItems:"3"`
	IDs    []int             `json:"ids,omitempty"`
	Parts  []string          `json:"parts,omitempty" enum:"body,to"`
	When   string            `json:"when,omitempty" format:"date-time"`
	Point  *Point            `json:"point,omitempty"`
	Points []Point           `json:"points,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Extra  any               `json:"extra,omitempty"`
}

// ProbeOutput repeats what arrived.
type ProbeOutput struct {
	Got ProbeInput `json:"got"`
}

// probe returns a tool that repeats its arguments, and the number of its runs.
func probe() (mcptools.Tool, *atomic.Int64) {
	runs := new(atomic.Int64)
	return mcptools.Define(mcptools.Spec{
		Name: "toy_probe", Title: "Probe", Toolset: "toy", Effect: mcptools.ReadOnly, Description: "Repeat the arguments.",
	}, func(_ context.Context, in ProbeInput) (ProbeOutput, error) {
		runs.Add(1)
		return ProbeOutput{Got: in}, nil
	}), runs
}

// got runs the probe and returns the arguments that arrived, as JSON without
// the id and the default of top.
func got(t *testing.T, tool mcptools.Tool, args string) string {
	t.Helper()
	result, err := tool.Call(t.Context(), json.RawMessage(args))
	if err != nil {
		t.Fatalf("Call(%s): %v", clip(args), err)
	}
	var answer struct {
		Got map[string]json.RawMessage `json:"got"`
	}
	if err := json.Unmarshal(result.Value, &answer); err != nil {
		t.Fatal(err)
	}
	delete(answer.Got, "id")
	if string(answer.Got["top"]) == "10" {
		delete(answer.Got, "top")
	}
	text, err := json.Marshal(answer.Got)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// faultsOf returns the message of the invalid-arguments error that err must be.
func faultsOf(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != mcptools.CodeInvalidArguments {
		t.Fatalf("error %v, want %s", err, mcptools.CodeInvalidArguments)
	}
	return e.Message
}

func clip(text string) string { return text[:min(len(text), 80)] }
