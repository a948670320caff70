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

// browserSource signs a person in with the browser of this machine. The first
// call opens the sign-in page and answers at once with what to do; calls after
// the sign-in find the token. No call waits for a person.
type browserSource struct {
	*auth.Source
	login *auth.PKCE

	mu      sync.Mutex
	pending *signIn         // nil when none is under way
	ctx     context.Context //nolint:containedctx // the life of the source
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// signIn is one visit to the sign-in page.
type signIn struct {
	shown   func()        // closes ready, once
	ready   chan struct{} // the page's address is known, or the sign-in has failed
	address string
}

func newBrowserSource(authority auth.Authority, clientID, scope string) (*browserSource, error) {
	b := &browserSource{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	var err error
	b.login, err = auth.NewPKCE(auth.PKCEConfig{Authority: authority, ClientID: clientID, Scopes: []string{scope}, Open: b.open})
	if err != nil {
		return nil, err
	}
	b.Source = b.login.Source()
	return b, nil
}

// TokenContext returns the token, or an error that says where to sign in.
func (b *browserSource) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	token, err := b.Source.TokenContext(ctx)
	if refused, ok := errors.AsType[*auth.Error](err); !ok || !refused.NeedsUser {
		return token, err
	}
	visit := b.visit()
	select {
	case <-visit.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	description := "ask the user to sign in on the page that opened in the browser, then call again"
	if visit.address != "" {
		description += "; if none opened, it is " + visit.address
	}
	return nil, &auth.Error{Code: "login_required", Description: description, NeedsUser: true}
}

// visit returns the sign-in that is under way, beginning one if there is none.
func (b *browserSource) visit() *signIn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending != nil {
		return b.pending
	}
	ready := make(chan struct{})
	visit := &signIn{ready: ready, shown: sync.OnceFunc(func() { close(ready) })}
	b.pending = visit
	b.running.Go(func() {
		// A failure reaches the next call, which begins anew.
		_, _ = b.login.LoginLoopback(b.ctx)
		visit.shown()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.pending = nil
	})
	return visit
}

// open shows the page with whatever this machine opens pages with. Where that
// fails, the answer to the call names the address.
func (b *browserSource) open(url string) error {
	b.mu.Lock()
	visit := b.pending
	visit.address = url
	b.mu.Unlock()
	defer visit.shown()
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	command := exec.CommandContext(b.ctx, name, args...) //nolint:gosec // our own sign-in address
	if command.Start() == nil {
		b.running.Go(func() { _ = command.Wait() }) // its outcome is the user's to see
	}
	return nil
}

// Close ends a sign-in that is under way.
func (b *browserSource) Close() {
	b.cancel()
	b.running.Wait()
	b.Source.Close()
}
