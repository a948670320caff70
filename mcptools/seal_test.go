package mcptools_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// byHand is a client that is asked but answers with calls of its own making.
func byHand() *mcp.ClientOptions {
	options := answer(nil, new(atomic.Int64))
	options.MultiRoundTrip = &mcp.MultiRoundTripOptions{Disabled: true}
	return options
}

// pending asks for the call and returns the state of its confirmation.
func pending(t *testing.T, session *mcp.ClientSession, params *mcp.CallToolParams) string {
	t.Helper()
	result, err := session.CallTool(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if !result.NeedsInput() || result.RequestState == "" || result.IsError || len(result.Content) > 0 {
		t.Fatalf("no question but %+v", result)
	}
	return result.RequestState
}

func approved(params *mcp.CallToolParams, state string) *mcp.CallToolParams {
	params.RequestState = state
	params.InputResponses = mcp.InputResponseMap{
		"confirm": &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": true}},
	}
	return params
}

// wantForged wants the error of a state that does not belong to the call.
func wantForged(t *testing.T, err error, reason string) {
	t.Helper()
	wire, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || wire.Code != jsonrpc.CodeInvalidParams || !strings.Contains(wire.Message, reason) {
		t.Errorf("error %v, want a JSON-RPC error %d that says %q", err, jsonrpc.CodeInvalidParams, reason)
	}
}

// TestForgedConfirmation: an approval is good for exactly the call it was given
// for.
func TestForgedConfirmation(t *testing.T) {
	flip := func(at int) func(string) string {
		return func(state string) string {
			data, err := base64.RawURLEncoding.DecodeString(state)
			if err != nil {
				t.Fatal(err)
			}
			data[(at+len(data))%len(data)] ^= 1
			return base64.RawURLEncoding.EncodeToString(data)
		}
	}
	same := func(state string) string { return state }
	for _, c := range []struct {
		name   string
		params *mcp.CallToolParams
		forge  func(string) string
	}{
		{"other nonce", wipeDB1(), flip(0)},
		{"later expiry", wipeDB1(), flip(20)},
		{"other question", wipeDB1(), flip(30)},
		{"other seal", wipeDB1(), flip(-1)},
		{"shorter", wipeDB1(), func(s string) string { return s[:len(s)-4] }},
		{"longer", wipeDB1(), func(s string) string { return s + "AAAA" }},
		{"none", wipeDB1(), func(string) string { return "" }},
		{"not base64", wipeDB1(), func(string) string { return "%%%" }},
		{"huge", wipeDB1(), func(string) string { return strings.Repeat("A", 1<<20) }},
		{"zero", wipeDB1(), func(s string) string { return strings.Repeat("A", len(s)) }},
		{"other tool", &mcp.CallToolParams{Name: "toy_erase", Arguments: json.RawMessage(`{"host":"db1"}`)}, same},
		{"other argument", &mcp.CallToolParams{Name: "toy_wipe", Arguments: json.RawMessage(`{"host":"db2"}`)}, same},
		{"one more argument", &mcp.CallToolParams{Name: "toy_wipe", Arguments: json.RawMessage(`{"host":"db1","days":31}`)}, same},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, runs := wiper(mcptools.ConfirmOptions{})
			session := connect(t, newServer(set), byHand(), "")
			state := pending(t, session, wipeDB1())
			_, err := session.CallTool(t.Context(), approved(c.params, c.forge(state)))
			wantForged(t, err, "altered or belongs to another call")
			if runs.Load() != 0 {
				t.Error("the function ran")
			}
			// The true one still works, however the call is spelled.
			spelled := &mcp.CallToolParams{Name: "toy_wipe", Arguments: json.RawMessage(` {"days":"30", "host":"db1"}`)}
			if result, err := session.CallTool(t.Context(), approved(spelled, state)); err != nil || result.IsError || runs.Load() != 1 {
				t.Errorf("the true approval: %v, %v, %d runs", result, err, runs.Load())
			}
		})
	}
}

// TestConfirmationOfWhatHasChanged: who agrees to send a draft to Anna has not
// agreed to send it to whoever it is addressed to by then.
func TestConfirmationOfWhatHasChanged(t *testing.T) {
	var receiver atomic.Value
	explain := func(context.Context, mcptools.Spec, json.RawMessage) []string {
		if line := receiver.Load().(string); line != "" { //nolint:errcheck,forcetypeassert // it holds nothing else
			return []string{line}
		}
		return nil
	}
	receiver.Store("mail to anna")
	set, runs := wiper(mcptools.ConfirmOptions{Ask: func(context.Context, mcptools.Question) (bool, error) {
		receiver.Store("mail to mallory")
		return true, nil
	}})
	set = set.Explained(explain)
	session := connect(t, newServer(set), byHand(), "")
	state := pending(t, session, wipeDB1())
	receiver.Store("mail to mallory")
	result, err := session.CallTool(t.Context(), approved(wipeDB1(), state))
	if err != nil || !result.IsError || !strings.Contains(textOf(t, result), "conflict: what this call is about has changed") {
		t.Errorf("over MCP: %+v, %v", result, err)
	}
	receiver.Store("mail to anna")
	state = pending(t, session, wipeDB1())
	receiver.Store("") // which cannot be read
	result, err = session.CallTool(t.Context(), approved(wipeDB1(), state))
	if err != nil || !result.IsError || !strings.Contains(textOf(t, result), "unavailable: what this call is about could not be read again") {
		t.Errorf("unreadable: %+v, %v", result, err)
	}
	receiver.Store("mail to anna")
	if _, err := set.Call(t.Context(), "toy_wipe", json.RawMessage(`{"host":"db1"}`)); !errors.Is(err, mcptools.CodeConflict) {
		t.Errorf("directly: %v", err)
	}
	if runs.Load() != 0 {
		t.Error("the function ran")
	}
	receiver.Store("mail to mallory") // and so it stays
	state = pending(t, session, wipeDB1())
	if result, err := session.CallTool(t.Context(), approved(wipeDB1(), state)); err != nil || result.IsError || runs.Load() != 1 {
		t.Errorf("unchanged: %+v, %v, %d runs", result, err, runs.Load())
	}
}

// TestConfirmationOfAnotherUser: an approval cannot be passed on.
func TestConfirmationOfAnotherUser(t *testing.T) {
	set, runs := wiper(mcptools.ConfirmOptions{})
	tokens := new(bearer)
	tokens.use("jo.1")
	session := open(t, &mcp.StreamableClientTransport{
		Endpoint: serveHTTP(t, stateless, set), DisableStandaloneSSE: true, HTTPClient: &http.Client{Transport: tokens},
	}, byHand(), "")
	state := pending(t, session, wipeDB1())
	tokens.use("sam.1")
	_, err := session.CallTool(t.Context(), approved(wipeDB1(), state))
	wantForged(t, err, "another call")
	tokens.use("jo.2")
	if _, err := session.CallTool(t.Context(), approved(wipeDB1(), state)); err != nil || runs.Load() != 1 {
		t.Errorf("the same user with a fresh token: %v, %d runs", err, runs.Load())
	}
}

// TestConfirmationExpires: a person may think for five minutes.
func TestConfirmationExpires(t *testing.T) {
	for _, c := range []struct {
		ttl, wait time.Duration
		ok        bool
	}{
		{0, 4*time.Minute + 59*time.Second, true}, {0, 5*time.Minute + time.Second, false},
		{time.Hour, 59 * time.Minute, true}, {time.Hour, time.Hour + time.Second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			set, runs := wiper(mcptools.ConfirmOptions{TTL: c.ttl})
			session := connect(t, newServer(set), byHand(), "")
			state := pending(t, session, wipeDB1())
			time.Sleep(c.wait)
			_, err := session.CallTool(t.Context(), approved(wipeDB1(), state))
			if c.ok && (err != nil || runs.Load() != 1) {
				t.Errorf("after %s: %v, %d runs", c.wait, err, runs.Load())
			}
			if !c.ok {
				wantForged(t, err, "expired")
			}
			if !c.ok && runs.Load() != 0 {
				t.Error("the function ran")
			}
		})
	}
}

// TestConfirmationIsSpent: one answer, whatever it was, is one use.
func TestConfirmationIsSpent(t *testing.T) {
	set, runs := wiper(mcptools.ConfirmOptions{})
	session := connect(t, newServer(set), byHand(), "")
	state := pending(t, session, wipeDB1())
	var wait sync.WaitGroup
	var forged atomic.Int64
	for range 20 {
		wait.Go(func() {
			if _, err := session.CallTool(t.Context(), approved(wipeDB1(), state)); err != nil {
				forged.Add(1)
			}
		})
	}
	wait.Wait()
	if runs.Load() != 1 || forged.Load() != 19 {
		t.Errorf("%d runs and %d refusals, want 1 and 19", runs.Load(), forged.Load())
	}

	state = pending(t, session, wipeDB1())
	no := approved(wipeDB1(), state)
	no.InputResponses["confirm"] = &mcp.ElicitResult{Action: "decline"}
	if result, err := session.CallTool(t.Context(), no); err != nil || !result.IsError {
		t.Fatalf("declined: %v, %v", result, err)
	}
	_, err := session.CallTool(t.Context(), approved(wipeDB1(), state))
	wantForged(t, err, "used already")

	state = pending(t, session, wipeDB1())
	silent := wipeDB1()
	silent.RequestState = state
	result, err := session.CallTool(t.Context(), silent)
	if err != nil || !result.IsError || !strings.Contains(textOf(t, result), "not answered") {
		t.Errorf("no answer: %v, %v", result, err)
	}
	if runs.Load() != 1 {
		t.Errorf("%d runs, want 1", runs.Load())
	}
}

// TestSharedKey: replicas accept each other's states, strangers do not.
func TestSharedKey(t *testing.T) {
	key := bytes.Repeat([]byte("k"), 32)
	first, _ := wiper(mcptools.ConfirmOptions{Key: key})
	second, runs := wiper(mcptools.ConfirmOptions{Key: key})
	stranger, strange := wiper(mcptools.ConfirmOptions{})
	state := pending(t, connect(t, newServer(first), byHand(), ""), wipeDB1())
	_, err := connect(t, newServer(stranger), byHand(), "").CallTool(t.Context(), approved(wipeDB1(), state))
	wantForged(t, err, "another call")
	replica := connect(t, newServer(second), byHand(), "")
	if _, err := replica.CallTool(t.Context(), approved(wipeDB1(), state)); err != nil || runs.Load() != 1 || strange.Load() != 0 {
		t.Errorf("replica: %v, %d runs; stranger: %d runs", err, runs.Load(), strange.Load())
	}
	_, err = replica.CallTool(t.Context(), approved(wipeDB1(), state))
	wantForged(t, err, "used already")

	defer func() {
		if recover() == nil {
			t.Error("a short key was accepted")
		}
	}()
	mcptools.Confirm(mcptools.Risky, mcptools.ConfirmOptions{Key: key[:31]})
}
