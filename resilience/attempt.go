package resilience

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var errNoAnswer = errors.New("resilience: the base transport returned neither an answer nor an error")

// attempt sends the request once. The breaker gets its verdict whatever
// happens, a panic of the base included.
func (o *operation) attempt() *result {
	o.attempts++
	var started time.Time
	hook := o.t.options.Hooks.Attempt
	if hook != nil {
		started = time.Now()
	}
	r := &o.answer
	*r = result{class: Fatal}
	defer func() {
		o.circuit.breaker.verdict(o.permit, r.class, r.at)
		if r.resp == nil {
			o.leave()
		}
	}()

	ctx := o.req.Context()
	var timer *time.Timer
	if o.timed() {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		timer = time.AfterFunc(o.retry.AttemptTimeout, func() { cancel(ErrAttemptTimeout) })
		defer timer.Stop()
		defer func() {
			if r.resp == nil {
				cancel(nil)
			}
		}()
		r.release = release(cancel)
	}
	req, watch, err := o.prepare(ctx)
	if err != nil {
		r.err = err
		return r
	}
	gone := ctx.Err() != nil
	r.resp, r.err = o.t.options.Base.RoundTrip(req) //nolint:bodyclose // drain closes it, or the caller
	r.at = time.Now()
	if r.resp != nil && r.resp.Body == nil { // net/http never does that
		r.resp.Body = http.NoBody
	}
	if r.resp != nil && r.err != nil { // nor that; the error counts
		_ = r.resp.Body.Close()
		r.resp = nil
	}
	if r.resp != nil {
		// The base's copy may have a token in it, and a context that ends with the
		// attempt.
		r.resp.Request = o.req
	}
	late := timer != nil && !timer.Stop() && !ended(o.req.Context())
	unsent := o.judge(r, late, watch)
	if r.resp != nil { // and not before the judgement, for it is another's then
		o.t.watches.giveBack(watch)
	}
	o.doubtful = o.doubtful || r.class == Transient || r.class == Cancelled && !unsent && !gone
	if hook != nil {
		e := AttemptEvent{Keys: o.keys, Request: o.req, Number: o.attempts, Class: r.class, Err: r.err, Waited: o.waited - o.waitedBefore, Duration: r.at.Sub(started)}
		if r.resp != nil {
			e.Status = r.resp.StatusCode
		}
		hook(e)
	}
	return r
}

// timed reports whether the attempt needs a timeout of its own: not if the
// caller's deadline comes first. The clock is looked at only if that did not
// follow from what it showed some time before.
func (o *operation) timed() bool {
	deadline, ok := o.req.Context().Deadline()
	return !ok || deadline.Sub(o.turn.seen) > o.retry.AttemptTimeout && time.Until(deadline) > o.retry.AttemptTimeout
}

// copied is what an attempt has instead of the caller's request if the base must
// see another context or, from the second attempt on, another body. It is one
// allocation, with room for what lives no longer.
type copied struct {
	req  http.Request
	ctx  traced
	body body // of the answer
}

// prepare returns the request for one attempt, and what watches it if it matters
// whether it is sent.
func (o *operation) prepare(ctx context.Context) (*http.Request, *watch, error) {
	if o.attempts == 1 && !o.watched && ctx == o.req.Context() {
		return o.req, nil, nil
	}
	c := new(copied)
	o.answer.body = &c.body
	var w *watch
	if o.watched {
		w = o.t.watches.take()
		ctx = w.see(ctx, &c.ctx)
	}
	if o.attempts > 1 {
		ctx = context.WithValue(ctx, resendsKey{}, o.attempts-1)
	}
	c.req = *o.req.WithContext(ctx)
	if o.attempts > 1 && o.req.GetBody != nil {
		body, err := o.req.GetBody()
		if err != nil {
			return nil, nil, err
		}
		c.req.Body = body
	}
	if present, _ := idempotencyKey(c.req.Header); present && !o.idempotent {
		c.req.GetBody = nil // or net/http would repeat it
		if c.req.Body == nil || c.req.Body == http.NoBody {
			c.req.Body = io.NopCloser(strings.NewReader(""))
		}
	}
	return &c.req, w, nil
}

// judge puts the attempt into its class, and reports whether it surely never
// reached the server.
func (o *operation) judge(r *result, late bool, w *watch) (unsent bool) {
	if r.err == nil && r.resp == nil {
		r.err = errNoAnswer
		return false
	}
	if late {
		// The context's end is what the base reports, or will once the body is
		// read; a caller would take it for its own.
		if r.resp != nil {
			_ = r.resp.Body.Close() // the attempt has failed for a better reason
			r.resp = nil
		}
		r.err = ErrAttemptTimeout
	}
	if r.err != nil {
		caller := o.req.Context()
		unsent = w.unsent(r.err, ended(caller))
		r.class = classifyError(caller, r.err, unsent)
	} else {
		r.class = classifyStatus(r.resp.StatusCode)
	}
	if f := o.retry.Classify; f != nil {
		r.class = f(r.resp, r.err, r.class)
	}
	return unsent
}

// guard wraps the body that goes to the caller.
func (o *operation) guard(r *result) {
	switch {
	case r.resp.StatusCode == http.StatusSwitchingProtocols:
		o.leave()
		return // the connection is the caller's now
	case r.resp.Body == http.NoBody:
		r.release.end()
		o.leave()
		return
	}
	if r.body == nil {
		r.body = new(body)
	}
	*r.body = body{ReadCloser: r.resp.Body, release: r.release, lane: o.lane, watch: o.t.watchman, allowed: o.limit}
	r.resp.Body = r.body
}

type resendsKey struct{}

// Resends returns which repetition of a request the context of an attempt
// belongs to: 0 for the first attempt. It is for transports below this one, such
// as those that trace.
func Resends(ctx context.Context) int {
	n, _ := ctx.Value(resendsKey{}).(int)
	return n
}

// watch sees how far a request got. A nil watch saw nothing.
type watch struct {
	trace   httptrace.ClientTrace
	alone   context.Context // with nothing but the trace
	started atomic.Bool     // it asked net/http for a connection
	gotConn atomic.Bool
	wrote   atomic.Bool
}

// watches are those that nobody uses any more, each of which took four
// allocations.
type watches struct{ free sync.Pool }

func (p *watches) take() *watch {
	if w, ok := p.free.Get().(*watch); ok {
		return w
	}
	return newWatch()
}

// giveBack takes the watch of a request that was answered: net/http has told it
// all there was to tell by then. A base that sends more through net/http after its
// answer, such as a renewal of its token, makes another request look as if it had
// been sent, which is the safe side. A base without net/http never gets here.
func (p *watches) giveBack(w *watch) {
	if w == nil || !w.started.Load() || !w.wrote.Load() {
		return
	}
	w.started.Store(false)
	w.gotConn.Store(false)
	w.wrote.Store(false)
	p.free.Put(w)
}

func newWatch() *watch {
	w := new(watch)
	w.trace.GetConn = func(string) { w.started.Store(true) }
	w.trace.GotConn = func(httptrace.GotConnInfo) { w.gotConn.Store(true) }
	w.trace.WroteHeaders = func() { w.wrote.Store(true) }
	w.alone = httptrace.WithClientTrace(context.Background(), &w.trace)
	return w
}

// see returns ctx, in place if that will do, for a request that w is to see.
func (w *watch) see(ctx context.Context, place *traced) context.Context {
	if httptrace.ContextClientTrace(ctx) != nil {
		trace := w.trace // for what is called besides stays in it
		return httptrace.WithClientTrace(ctx, &trace)
	}
	*place = traced{ctx, w.alone}
	return place
}

// traced is a context with the trace of another.
type traced struct {
	context.Context
	trace context.Context
}

// Value implements [context.Context].
func (c *traced) Value(key any) any {
	if v := c.trace.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// unsent reports whether the request surely never reached the server. A base
// that is not net/http's is not seen at work, and proves nothing unless it
// could not connect. After a timeout, or the end of the caller's context, the
// connection's own goroutine may still be about to write, so then there must
// not have been a connection.
func (w *watch) unsent(err error, ended bool) bool {
	switch {
	case w == nil:
		return isDial(err)
	case w.wrote.Load():
		return false
	case w.started.Load() && !w.gotConn.Load():
		return true
	case ended || isTimeout(err):
		return isDial(err) && !w.gotConn.Load()
	}
	return w.started.Load() || isDial(err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
