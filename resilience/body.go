package resilience

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// body guards the body of an answer that goes to the caller: its size, the
// wait for its next bytes, and the attempt's context, which ends with it.
type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   time.Duration
	timer  *time.Timer
	left   int64 // bytes that may still come; < 0 is unlimited
	err    error
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.left >= 0 && int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more than allowed tells too long from just right
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(b.idle, func() { b.cancel(ErrBodyIdle) })
	} else {
		b.timer.Reset(b.idle)
	}
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if b.left >= 0 {
		if int64(n) > b.left {
			n, err = int(b.left), ErrResponseTooLarge
		}
		b.left -= int64(n)
	}
	if err != nil {
		if !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), ErrBodyIdle) {
			err = ErrBodyIdle
		}
		b.err = err
		b.cancel(nil)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *body) Close() error {
	defer b.cancel(nil)
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
func drain(resp *http.Response, cancel context.CancelCauseFunc) {
	timer := time.AfterFunc(drainTime, func() { cancel(nil) })
	var kept bytes.Buffer
	_, err := io.CopyN(&kept, resp.Body, keepBytes)
	if err == nil {
		_, err = io.CopyN(io.Discard, resp.Body, drainBytes-keepBytes)
	}
	timer.Stop()
	_ = resp.Body.Close() // nothing more is wanted of it
	cancel(nil)
	end := io.EOF
	if !errors.Is(err, io.EOF) || kept.Len() == keepBytes {
		end = io.ErrUnexpectedEOF
	}
	resp.Body = &keptBody{Reader: bytes.NewReader(kept.Bytes()), end: end}
}

// keptBody is the kept part of a body. It ends with io.ErrUnexpectedEOF if
// something is missing.
type keptBody struct {
	*bytes.Reader
	end error
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
