package resilience

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// release ends the context of an attempt, which lives as long as the body of
// its answer. It is nil if the attempt ran on the caller's context.
type release func(cause error)

func (r release) end() {
	if r != nil {
		r(nil)
	}
}

// abort makes a read of body that is under way return. With net/http a body
// may be closed while it is read; for other bases there is the context.
func (r release) abort(body io.Closer) {
	r.end()
	_ = body.Close() // it is given up
}

// body guards the body of an answer that goes to the caller: its size, the
// wait for its next bytes, and the attempt's context, which ends with it.
type body struct {
	io.ReadCloser
	release release
	lane    *lane
	watch   *watchman
	allowed int64 // bytes that may still come; < 0 is unlimited
	err     error
	read                // that is under way, the watchman's
	left    atomic.Bool // the lane
	stalled atomic.Bool // set by the watchman
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.allowed >= 0 && int64(len(p))-1 > b.allowed {
		p = p[:b.allowed+1] // one more than allowed tells too long from just right
	}
	b.watch.begin(b)
	n, err := b.ReadCloser.Read(p)
	b.watch.end(b)
	if b.allowed >= 0 {
		if int64(n) > b.allowed {
			n, err = int(b.allowed), ErrResponseTooLarge
		}
		b.allowed -= int64(n)
	}
	if err != nil {
		if b.stalled.Load() && !errors.Is(err, io.EOF) {
			err = ErrBodyIdle
		}
		b.err = err
		b.end()
	}
	return n, err
}

// end lets go of what the answer held, once.
func (b *body) end() {
	b.release.end()
	if b.left.CompareAndSwap(false, true) {
		b.lane.leave()
	}
}

func (b *body) stall() {
	b.stalled.Store(true)
	b.release.abort(b.ReadCloser)
}

// Close implements [io.Closer].
func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// What a failed answer may cost before its request is repeated. Reading it to
// the end lets the connection be used again; a part is kept, so that the
// answer can still be returned if there is no repetition after all.
const (
	drainBytes = 256 << 10
	keepBytes  = 64 << 10
	drainTime  = 250 * time.Millisecond
)

// drain reads and closes the body of resp within those bounds, and leaves what
// it kept as the body.
func drain(resp *http.Response, r release) {
	from := resp.Body
	timer := time.AfterFunc(drainTime, func() { r.abort(from) })
	var kept bytes.Buffer
	_, err := io.CopyN(&kept, from, keepBytes)
	more := int64(0) // than is kept
	if err == nil {
		more, err = io.CopyN(io.Discard, from, drainBytes-keepBytes)
	}
	timer.Stop()
	_ = from.Close() // nothing more is wanted of it
	r.end()
	end := io.EOF
	if !errors.Is(err, io.EOF) || more > 0 {
		end = io.ErrUnexpectedEOF
	}
	resp.Body = &keptBody{Reader: bytes.NewReader(kept.Bytes()), end: end}
}

// keptBody is the kept part of a body. It ends with io.ErrUnexpectedEOF if
// something is missing.
type keptBody struct {
	io.Reader // and not *bytes.Reader, whose WriteTo knows nothing of end
	end       error
}

// Read implements [io.Reader].
func (b *keptBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.end
	}
	return n, err
}

// Close implements [io.Closer].
func (b *keptBody) Close() error { return nil }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // it was not sent
	}
}
