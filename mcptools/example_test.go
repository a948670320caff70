package mcptools_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

type RebootInput struct {
	Host  string `json:"host" jsonschema:"machine name"`
	Delay int    `json:"delay,omitempty" jsonschema:"seconds to wait" minimum:"0" maximum:"600" default:"60"`
	Mode  string `json:"mode,omitempty" enum:"soft,hard"`
}

type RebootOutput struct {
	Job string `json:"job"`
}

func reboot(_ context.Context, in RebootInput) (RebootOutput, error) {
	return RebootOutput{Job: fmt.Sprintf("reboot %s in %d s", in.Host, in.Delay)}, nil
}

var rebootTool = mcptools.Define(mcptools.Spec{
	Name: "rmm_reboot", Title: "Reboot a machine", Toolset: "rmm", Effect: mcptools.Destructive,
	Description: "Reboot one machine. Returns the job to poll with rmm_get_job.",
}, reboot)

func ExampleDefine() {
	fmt.Println(string(rebootTool.InputSchema()))
	// Output:
	// {"type":"object","properties":{"host":{"type":"string","description":"machine name"},"delay":{"type":"integer","description":"seconds to wait","default":60,"minimum":0,"maximum":600},"mode":{"type":"string","enum":["soft","hard"]}},"required":["host"],"additionalProperties":false}
}

func ExampleTool_Call() {
	result, err := rebootTool.Call(context.Background(), json.RawMessage(`{"host":"db1","delay":"5"}`))
	fmt.Println(string(result.Value), err)
	// Output: {"job":"reboot db1 in 5 s"} <nil>
}

func ExampleSet_Call_faults() {
	set := mcptools.NewSet(rebootTool)
	_, err := set.Call(context.Background(), "rmm_reboot", json.RawMessage(`{"hots":"db1","delay":9000,"mode":"warm"}`))
	fmt.Println(err)
	_, err = set.Call(context.Background(), "reboot", nil)
	fmt.Println(err)
	// Output:
	// invalid_arguments: delay: must be <= 600 but found 9000; host: missing; hots: unknown argument; valid are host, delay, mode; mode: value must be one of "soft", "hard"
	// What to do: repair these arguments and call again; nothing was done
	// unknown_tool: there is no tool "reboot"
	// What to do: did you mean rmm_reboot?
}

func ExampleConfirm() {
	ask := func(_ context.Context, q mcptools.Question) (bool, error) {
		fmt.Println(q.Text)
		return false, nil
	}
	set := mcptools.NewSet(rebootTool).With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: ask}))
	_, err := set.Call(context.Background(), "rmm_reboot", json.RawMessage(`{"host":"db1"}`))
	fmt.Println(err)
	// Output:
	// Reboot a machine (rmm_reboot)?
	// It may be impossible to undo.
	// delay: 60
	// host: db1
	// declined: the user declined; nothing was done
	// What to do: do not try again unless the user asks for it
}
