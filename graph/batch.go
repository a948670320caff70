package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

const (
	batchSize     = 20 // requests at once, Graph's limit
	batchAttempts = 4  // of one request
	// maxBatchWait bounds how long throttled requests wait for another attempt.
	maxBatchWait = 30 * time.Second
)

// batchRequest is one request of a batch.
type batchRequest struct {
	Method string
	Path   string // from Client.path
	Query  url.Values
	Header http.Header
	Body   any
	// Repeatable says that doing it twice does no harm. What Graph refused
	// because of throttling is repeated in any case: it was not done.
	Repeatable bool
}

// batchAnswer is the answer to one request: the body of a success, or an error.
type batchAnswer struct {
	Status int
	Header http.Header
	Body   json.RawMessage
	Err    error
}

// batchPart and batchReply are requests and answers as they travel.
// https://learn.microsoft.com/graph/json-batching
type batchPart struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

type batchReply struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// batch makes requests, as many at once as Graph takes, and returns their
// answers in the same order. Each has its own error; throttled ones are repeated
// when their own Retry-After says so. The error is that of the first batch as a
// whole, after which nothing else was tried.
func (c *Client) batch(ctx context.Context, requests []batchRequest) ([]batchAnswer, error) {
	answers := make([]batchAnswer, len(requests))
	for start := 0; start < len(requests); start += batchSize {
		end := min(start+batchSize, len(requests))
		if err := c.batchChunk(ctx, requests[start:end], answers[start:end]); err != nil && start == 0 {
			return nil, err
		}
	}
	for i, request := range requests {
		answers[i].Err = c.excuse(request, answers[i])
	}
	return answers, nil
}

// excuse returns the error of an answer. An answer without one is taken for a
// success, so what is none never leaves without.
func (c *Client) excuse(request batchRequest, answer batchAnswer) error {
	if answer.Err == nil && (answer.Status < 200 || answer.Status > 299) {
		return c.service.Unread(request.rest(), nil)
	}
	return answer.Err
}

// batchChunk fills in the answers to at most batchSize requests. The error is
// that of the first attempt as a whole.
func (c *Client) batchChunk(ctx context.Context, requests []batchRequest, answers []batchAnswer) error {
	until := time.Now().Add(maxBatchWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	open := make([]int, len(requests)) // those that have no final answer yet
	for i := range open {
		open[i] = i
	}
	for attempt := 1; ; attempt++ {
		if open = c.enter(ctx, requests, open, answers, until); len(open) == 0 {
			return nil
		}
		err := c.batchOnce(ctx, requests, open, answers)
		if err != nil && attempt == 1 {
			return err
		}
		if err != nil || attempt == batchAttempts {
			return nil //nolint:nilerr // each answer has the error
		}
		var wait time.Duration
		open, wait = worthWaiting(requests, open, answers, time.Until(until), c.backoff(attempt))
		if len(open) == 0 || !pause(ctx, wait) {
			return nil
		}
	}
}

// enter waits until nothing keeps the open requests from being sent, at any
// attempt: a refusal of another part, or of another call, may have closed the
// mailbox meanwhile. It returns those that need not wait for too long.
func (c *Client) enter(ctx context.Context, requests []batchRequest, open []int, answers []batchAnswer, until time.Time) []int {
	for {
		var held time.Duration
		open, held = c.admit(ctx, requests, open, answers, time.Until(until))
		if held == 0 || !pause(ctx, held) { // if it ends early, so will the batch
			return open
		}
	}
}

// admit returns the open requests whose mailbox, or whatever is throttled
// together with them, is not closed for longer than there is patience, and the
// wait until it is open for all of them. The others have an answer that says when
// to try again. What is not closed needs no patience: if it is too late for it,
// sending says so.
func (c *Client) admit(ctx context.Context, requests []batchRequest, open []int, answers []batchAnswer, patience time.Duration) (admitted []int, wait time.Duration) {
	for _, i := range open {
		held, err := c.service.Held(ctx, requests[i].rest())
		if held == 0 || held < patience {
			admitted, wait = append(admitted, i), max(wait, held)
		} else {
			answers[i] = c.after(answers[i], requests[i], batchAnswer{Status: http.StatusTooManyRequests, Err: err})
		}
	}
	return admitted, wait
}

// worthWaiting returns the requests of a batch that are worth another attempt
// after a wait, and the wait: the longest that one of them was asked for. Those
// that are to wait for longer than there is patience have their final answer.
func worthWaiting(requests []batchRequest, open []int, answers []batchAnswer, patience, least time.Duration) (again []int, wait time.Duration) {
	wait = least
	for _, i := range open {
		asked, _ := resilience.RetryAfter(answers[i].Header, time.Now())
		if max(asked, least) < patience && requests[i].worthRepeating(answers[i]) {
			again, wait = append(again, i), max(wait, asked)
		}
	}
	return again, wait
}

// batchOnce sends the open requests in one.
func (c *Client) batchOnce(ctx context.Context, requests []batchRequest, open []int, answers []batchAnswer) error {
	all := rest.Request{Method: http.MethodPost, Path: "/$batch", Safe: true, Repeatable: true}
	parts := make([]batchPart, 0, len(open))
	for _, i := range open {
		parts = append(parts, requests[i].part(strconv.Itoa(i)))
		all.Safe = all.Safe && requests[i].Method == http.MethodGet
		all.Repeatable = all.Repeatable && requests[i].Repeatable
	}
	all.Body = map[string]any{"requests": parts}
	var reply struct {
		Responses []batchReply `json:"responses"`
	}
	if _, err := c.service.Do(ctx, all, &reply); err != nil {
		for _, i := range open {
			answers[i] = c.after(answers[i], requests[i], batchAnswer{Err: err})
		}
		return err
	}
	answered := map[string][]batchReply{} // in any order
	for _, r := range reply.Responses {
		answered[r.ID] = append(answered[r.ID], r)
	}
	for _, i := range open {
		// No answer, two, or one without a status is that of a broken gateway: nobody
		// knows what was done.
		now := batchAnswer{Status: http.StatusBadGateway, Err: c.service.Unread(requests[i].rest(), nil)}
		if replies := answered[strconv.Itoa(i)]; len(replies) == 1 && replies[0].Status >= 200 {
			now = c.batchAnswer(ctx, requests[i], replies[0])
			c.heed(ctx, requests[i], now)
		}
		answers[i] = c.after(answers[i], requests[i], now)
	}
	return nil
}

// heed lets everybody wait who is throttled together with a request: the answer
// to the batch is a success, which hides the refusal from the transport.
func (c *Client) heed(ctx context.Context, request batchRequest, answer batchAnswer) {
	switch answer.Status {
	case http.StatusTooManyRequests, 509, http.StatusServiceUnavailable:
		if asked, ok := resilience.RetryAfter(answer.Header, time.Now()); ok && asked > 0 {
			c.service.Hold(ctx, request.rest(), asked)
		}
	}
}

// after returns the answer to another attempt. When it fails, too, what the
// earlier one may have done stays in doubt.
func (c *Client) after(earlier batchAnswer, request batchRequest, now batchAnswer) batchAnswer {
	if now.Err != nil && errors.Is(earlier.Err, mcptools.CodeUncertain) {
		now.Err = c.service.Doubtful(request.rest(), now.Err)
	}
	return now
}

func (c *Client) batchAnswer(ctx context.Context, request batchRequest, r batchReply) batchAnswer {
	answer := batchAnswer{Status: r.Status, Header: http.Header{}, Body: r.Body}
	for name, value := range r.Headers {
		answer.Header.Set(name, value)
	}
	if r.Status < 200 || r.Status > 299 {
		answer.Err = c.service.Failed(ctx, request.rest(), r.Status, answer.Header, r.Body)
	}
	return answer
}

// worthRepeating reports whether a request that was answered so may be repeated:
// it was refused before anything was done, or does no harm when done twice.
func (r batchRequest) worthRepeating(answer batchAnswer) bool {
	switch answer.Status {
	case http.StatusTooManyRequests, 509:
		return true
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return r.Repeatable || r.Method == http.MethodGet
	}
	return false
}

func (r batchRequest) part(id string) batchPart {
	// The headers of the batch itself do not count for its parts.
	headers := map[string]string{"Prefer": `IdType="ImmutableId"`}
	for name, values := range r.Header {
		headers[name] = values[0]
	}
	if r.Body != nil {
		headers["Content-Type"] = "application/json"
	}
	address := r.Path
	if len(r.Query) > 0 {
		address += "?" + strings.ReplaceAll(r.Query.Encode(), "+", "%20")
	}
	return batchPart{ID: id, Method: r.Method, URL: address, Headers: headers, Body: r.Body}
}

func (r batchRequest) rest() rest.Request { return rest.Request{Method: r.Method, Path: r.Path} }

// FailedItem is one of several things that something could not be done with.
type FailedItem struct {
	ID      string `json:"id"`
	Problem string `json:"problem"`
}

// failures lists the ids whose request failed. When all failed for the same
// reason, that is the error of the whole call, with the longest of their waits.
func failures(ids []string, answers []batchAnswer) ([]FailedItem, error) {
	var failed []FailedItem
	same, longest := true, 0
	for i, a := range answers {
		if a.Err == nil {
			continue
		}
		failed = append(failed, FailedItem{ID: ids[i], Problem: problem(a.Err)})
		same = same && answers[0].Err != nil && reason(a.Err) == reason(answers[0].Err)
		if waitOf(a.Err) > waitOf(answers[longest].Err) {
			longest = i
		}
	}
	if len(failed) == len(ids) && same && len(ids) > 0 {
		return nil, answers[longest].Err
	}
	return failed, nil
}
