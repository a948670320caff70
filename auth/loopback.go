package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/internal/page"
)

// LoginLoopback signs the user in with the browser of this machine: it listens
// on loopback (RFC 8252 section 7.3), shows the sign-in page with Open, and
// waits for the answer, at most ten minutes and no longer than ctx. Requests
// that are not the answer are refused and do not end the wait.
func (p *PKCE) LoginLoopback(ctx context.Context) (*oauth2.Token, error) {
	if p.config.Open == nil {
		return nil, errors.New("auth: PKCEConfig.Open is needed to show the sign-in page")
	}
	listeners, port, err := listenLoopback(ctx, p.config.RedirectHost, p.config.RedirectPort)
	if err != nil {
		return nil, err
	}
	host := net.JoinHostPort(p.config.RedirectHost, strconv.Itoa(port))
	flow, err := p.Begin("http://" + host + p.config.RedirectPath)
	if err != nil {
		closeAll(listeners)
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, flowLife)
	defer cancel()
	door := &loopback{login: p, flow: flow, host: host, ctx: ctx, result: make(chan loginResult, 1)}
	server := &http.Server{
		Handler:           door,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	server.SetKeepAlivesEnabled(false)
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() { _ = server.Serve(l) }) // ends with ErrServerClosed
	}
	defer func() { //nolint:contextcheck // the last page goes out even if ctx has ended
		door.stop(server)
		serving.Wait()
	}()
	if err := p.config.Open(flow.URL); err != nil {
		return nil, fmt.Errorf("auth: show the sign-in page: %w", err)
	}
	select {
	case r := <-door.result:
		return r.token, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("auth: waiting for the sign-in: %w", context.Cause(ctx))
	}
}

// listenLoopback listens where the browser will go. The name localhost may
// lead to either family, and what we do not hold, another program of this
// machine could: so both are taken, on the same port.
func listenLoopback(ctx context.Context, host string, port int) ([]net.Listener, int, error) {
	var config net.ListenConfig
	if host != "localhost" {
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return nil, 0, fmt.Errorf("auth: listen for the sign-in: %w", err)
		}
		return []net.Listener{l}, portOf(l), nil
	}
	var failure error
	for range 10 {
		four, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, 0, fmt.Errorf("auth: listen for the sign-in: %w", err)
		}
		six, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(portOf(four))))
		if err == nil {
			return []net.Listener{four, six}, portOf(four), nil
		}
		if !loopback6(ctx) {
			return []net.Listener{four}, portOf(four), nil
		}
		_ = four.Close()
		if failure = err; port != 0 {
			break
		}
	}
	return nil, 0, fmt.Errorf("auth: listen for the sign-in: %w", failure)
}

// loopback6 reports whether this machine has an IPv6 loopback at all.
func loopback6(ctx context.Context) bool {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func portOf(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

type loginResult struct {
	token *oauth2.Token
	err   error
}

// loopback is the handler of the redirect URI.
type loopback struct {
	login  *PKCE
	flow   *Flow
	host   string
	ctx    context.Context // of the sign-in; it outlives the browser's request
	result chan loginResult
}

// ServeHTTP implements [http.Handler]. Everything that is not the answer to
// the flow is refused and changes nothing.
func (d *loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.EqualFold(r.Host, d.host): // DNS rebinding
		page.Page{Title: "Wrong address", Text: "This page only answers the sign-in it was opened for."}.Write(w, http.StatusMisdirectedRequest)
	case r.URL.Path != d.login.config.RedirectPath:
		page.Page{Title: "Nothing here", Text: "Go back to the sign-in page."}.Write(w, http.StatusNotFound)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		page.Page{Title: "Not this way", Text: "Go back to the sign-in page."}.Write(w, http.StatusMethodNotAllowed)
	default:
		d.answer(w, r)
	}
}

func (d *loopback) answer(w http.ResponseWriter, r *http.Request) {
	token, err := d.login.Complete(d.ctx, d.flow, r.URL.Query()) //nolint:contextcheck // see the field's comment
	switch {
	case errors.Is(err, errForeign), errors.Is(err, errLate):
		page.Page{Title: "Not your sign-in", Text: "This answer does not belong to the sign-in under way. Go back to the sign-in page."}.Write(w, http.StatusBadRequest)
		return
	case errors.Is(err, errUsed):
		page.Page{Title: "Already done", Text: "This sign-in has been answered. You can close this window."}.Write(w, http.StatusBadRequest)
		return
	case err != nil:
		page.Page{Title: "Sign-in failed", Text: "The program that you came from says why. You can close this window."}.Write(w, http.StatusOK)
	default:
		page.Page{Title: "Signed in", Text: "You can close this window and go back to the program."}.Write(w, http.StatusOK)
	}
	d.result <- loginResult{token, err} // room for one, and a flow is answered once
}

// stop lets the last page reach the browser, but waits for nobody else.
func (d *loopback) stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
