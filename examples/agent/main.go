// Command agent uses the tools without MCP, as an agent with its own loop does:
// it shows the model the schemas, and calls by name what the model chooses. The
// model of this example is a script; everything else is real, on the in-memory
// HaloPSA.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	fake := halotest.New(halotest.Options{})
	defer fake.Close()
	client, err := halopsa.New(auth.Static(fake.Token()), halopsa.Options{URL: fake.URL()})
	if err != nil {
		return err
	}
	// The typed way: a method call.
	teams, err := client.ListTeams(ctx, halopsa.ListTeamsInput{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d teams, the first is %s\n", len(teams.Items), teams.Items[0].Name)

	// The agent's way: functions for the model, calls by name, errors as text.
	tools := client.Tools().With(mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Ask: askOnTerminal(in, out)}))
	fmt.Fprintf(out, "%d functions for the model\n", len(functions(tools)))
	for _, turn := range script {
		fmt.Fprintf(out, "\nmodel calls %s %s\n", turn.name, turn.arguments)
		result, err := tools.Call(ctx, turn.name, json.RawMessage(turn.arguments))
		if err != nil {
			fmt.Fprintln(out, err) // goes back to the model, which repairs its call
			if errors.Is(err, mcptools.CodeInternal) {
				return err
			}
			continue
		}
		fmt.Fprintf(out, "%.200s\n", result.Value)
	}
	return nil
}

// functions lists the tools in the form that model APIs want.
func functions(tools mcptools.Set) []map[string]any {
	var list []map[string]any
	for tool := range tools.All() {
		list = append(list, map[string]any{
			"name": tool.Spec().Name, "description": tool.Spec().Description, "parameters": tool.InputSchema(),
		})
	}
	return list
}

// askOnTerminal asks the person at the keyboard. Anything but "y" is a no.
func askOnTerminal(in io.Reader, out io.Writer) func(context.Context, mcptools.Question) (bool, error) {
	lines := bufio.NewScanner(in)
	return func(_ context.Context, q mcptools.Question) (bool, error) {
		fmt.Fprintf(out, "%s\n[y/N] ", q.Text)
		if !lines.Scan() {
			return false, lines.Err()
		}
		return strings.EqualFold(strings.TrimSpace(lines.Text()), "y"), nil
	}
}

// script is what the model of this example says.
var script = []struct{ name, arguments string }{
	{"halo_tickets_search", `{"agent":"unassigned","limit":2}`},
	{"halo_tickets_serach", `{}`},
	{"halo_actions_add_note", `{"ticket_id":2041,"note":"Spare sensor ordered."}`},
	{"halo_actions_reply_to_user", `{"ticket_id":2041,"message":"A spare part is on its way."}`},
}
