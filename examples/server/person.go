package main

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"sync"

	"github.com/msptoolbelt/toolbelt/auth"
	"golang.org/x/oauth2"
)

// personSource signs a person in, with the browser of this machine or with a
// code on another device. The first call that needs a token begins and answers
// at once with what to do; calls after the sign-in find the token. No call
// waits for a person.
type personSource struct {
	*auth.Source
	login func(ctx context.Context) error

	mu      sync.Mutex
	pending *signIn         // nil when none is under way
	ctx     context.Context //nolint:containedctx // the life of the source
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// signIn is one attempt.
type signIn struct {
	shown func()        // closes ready, once
	ready chan struct{} // what to do is known, or the sign-in has failed
	todo  string        // what the person must do; guarded by personSource.mu
	done  chan struct{}
	err   error // valid when done is closed
}

// newPersonSource takes the authority, client and scopes of config; the rest
// depends on the kind of sign-in.
func newPersonSource(config auth.PKCEConfig, device bool) (*personSource, error) {
	p := &personSource{}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if device {
		login, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
			Authority: config.Authority, ClientID: config.ClientID, Scopes: config.Scopes, Source: config.Source, Prompt: p.prompt,
		})
		if err != nil {
			return nil, err
		}
		p.Source = login.Source()
		p.login = func(ctx context.Context) error { _, err := login.Login(ctx); return err }
		return p, nil
	}
	config.Open = p.open
	login, err := auth.NewPKCE(config)
	if err != nil {
		return nil, err
	}
	p.Source = login.Source()
	p.login = func(ctx context.Context) error { _, err := login.LoginLoopback(ctx); return err }
	return p, nil
}

// TokenContext returns the token, or an error that says how to sign in.
func (p *personSource) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	token, err := p.Source.TokenContext(ctx)
	if refused, ok := errors.AsType[*auth.Error](err); !ok || !refused.NeedsUser {
		return token, err
	}
	attempt := p.begin()
	select {
	case <-attempt.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if todo := p.todo(attempt); todo != "" {
		return nil, &auth.Error{Code: "login_required", Description: "ask the user to " + todo + ", then call again", NeedsUser: true}
	}
	select {
	case <-attempt.done: // it failed before there was anything to do
		if attempt.err != nil {
			return nil, attempt.err
		}
		return p.Source.TokenContext(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ensure signs in with signInNow unless that has been done.
func (p *personSource) ensure(ctx context.Context, say func(todo string)) error {
	_, err := p.Source.TokenContext(ctx)
	if refused, ok := errors.AsType[*auth.Error](err); ok && refused.NeedsUser {
		return p.signInNow(ctx, say)
	}
	return nil // another failure is that of the call as well
}

// signInNow is -login: it shows what to do with say, and waits for the person.
func (p *personSource) signInNow(ctx context.Context, say func(todo string)) error {
	attempt := p.begin()
	select {
	case <-attempt.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if todo := p.todo(attempt); todo != "" {
		say(todo)
	}
	select {
	case <-attempt.done:
		return attempt.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin returns the sign-in that is under way, beginning one if there is none.
func (p *personSource) begin() *signIn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending != nil {
		return p.pending
	}
	ready := make(chan struct{})
	attempt := &signIn{ready: ready, shown: sync.OnceFunc(func() { close(ready) }), done: make(chan struct{})}
	p.pending = attempt
	p.running.Go(func() {
		attempt.err = p.login(p.ctx)
		p.mu.Lock()
		p.pending = nil // a failure reaches the next call, which begins anew
		p.mu.Unlock()
		close(attempt.done)
		attempt.shown()
	})
	return attempt
}

func (p *personSource) todo(attempt *signIn) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return attempt.todo
}

// show records what the person must do.
func (p *personSource) show(todo string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending != nil {
		p.pending.todo = todo
		p.pending.shown()
	}
}

// prompt is for the device code.
func (p *personSource) prompt(_ context.Context, prompt auth.DevicePrompt) error {
	p.show("open " + prompt.URL + " on any device and enter the code " + prompt.UserCode)
	return nil
}

// open shows the page with whatever this machine opens pages with. Where that
// fails, the answer to the call names the address.
func (p *personSource) open(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	command := exec.CommandContext(p.ctx, name, args...) //nolint:gosec // our own sign-in address
	if command.Start() == nil {
		p.running.Go(func() { _ = command.Wait() }) // its outcome is the user's to see
	}
	p.show("sign in on the page that opened in the browser; if none opened, it is " + url)
	return nil
}

// Close ends a sign-in that is under way.
func (p *personSource) Close() {
	p.cancel()
	p.running.Wait()
	p.Source.Close()
}
