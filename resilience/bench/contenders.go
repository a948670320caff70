package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
	kiota "github.com/microsoft/kiota-http-go"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// What every contender is told, as far as it can be told.
const (
	attempts  = 4 // of one call, the first included
	firstWait = 100 * time.Millisecond
	maxWait   = 20 * time.Second
	cooldown  = 2 * time.Second
	inARow    = 5 // failures that open a contender's circuit breaker
)

// A contender makes calls to one site survive, on a base transport.
type contender struct {
	Name string
	How  string // it is configured
	// Breaker says that it has a circuit breaker.
	Breaker bool
	open    func(site string, base http.RoundTripper) (http.RoundTripper, error)
}

// Ours is the name of this project's row.
const Ours = "toolbelt/resilience"

func contenders() []contender {
	return []contender{
		{Name: "net/http", How: "the bare transport", open: bare},
		{Name: "go-retryablehttp", How: "`RetryMax` 3, `RetryWaitMin` 100 ms, `RetryWaitMax` 20 s, `PassthroughErrorHandler`", open: retryable},
		{Name: "failsafe-go", How: "`failsafehttp.NewRetryPolicyBuilder` (3 retries, backoff 100 ms to 20 s, jitter 0.25, abort on `ErrOpen`) around a breaker that opens after 5 failures in a row for 2 s", Breaker: true, open: failsafe},
		{Name: "kiota-http-go", How: "retry (3, 1 s: its shortest) and redirect middleware, in that order; the default set has a random order", open: kiotaRetry},
		{Name: "azcore", How: "`runtime.NewPipeline` with `RetryOptions`: 3 retries, 100 ms to 20 s", open: azure},
		{Name: "backoff + gobreaker", How: "what people write: `backoff.Retry` (3 retries, from 100 ms) around `gobreaker.Execute` (more than 5 failures in a row, 2 s)", Breaker: true, open: naive},
		{Name: Ours, How: "the defaults, but a first wait of 100 ms", Breaker: true, open: ours},
	}
}

func bare(_ string, base http.RoundTripper) (http.RoundTripper, error) { return base, nil }

func ours(site string, base http.RoundTripper) (http.RoundTripper, error) {
	return oursWith(site, base, resilience.Options{})
}

// oursWith is ours with more options than the other contenders are given.
func oursWith(site string, base http.RoundTripper, o resilience.Options) (*resilience.Transport, error) {
	o.Hosts, o.Base = []string{site}, base
	o.Retry.MaxAttempts, o.Retry.BaseDelay, o.Retry.MaxDelay = attempts, firstWait, maxWait
	return resilience.New(o)
}

func retryable(_ string, base http.RoundTripper) (http.RoundTripper, error) {
	client := retryablehttp.NewClient()
	client.HTTPClient = &http.Client{Transport: base, CheckRedirect: doNotFollow}
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = attempts-1, firstWait, maxWait
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	client.Logger = nil
	return &retryablehttp.RoundTripper{Client: client}, nil
}

func doNotFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

//nolint:bodyclose // these are policies about answers, not answers
func failsafe(_ string, base http.RoundTripper) (http.RoundTripper, error) {
	retry := failsafehttp.NewRetryPolicyBuilder().
		WithMaxAttempts(attempts).
		WithBackoff(firstWait, maxWait).
		WithJitterFactor(0.25).
		AbortOnErrors(circuitbreaker.ErrOpen).
		ReturnLastFailure().
		Build()
	breaker := circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(func(resp *http.Response, err error) bool { return err != nil || resp.StatusCode >= 500 }).
		WithFailureThreshold(inARow).
		WithDelay(cooldown).
		Build()
	return failsafehttp.NewRoundTripper(base, retry, breaker), nil
}

func kiotaRetry(_ string, base http.RoundTripper) (http.RoundTripper, error) {
	retry := kiota.NewRetryHandlerWithOptions(kiota.RetryHandlerOptions{
		ShouldRetry:  func(time.Duration, int, *http.Request, *http.Response) bool { return true },
		MaxRetries:   attempts - 1,
		DelaySeconds: 1,
	})
	return kiota.NewCustomTransportWithParentTransport(base, retry, kiota.NewRedirectHandler()), nil
}

func azure(_ string, base http.RoundTripper) (http.RoundTripper, error) {
	return pipeline{runtime.NewPipeline("bench", "v1.0.0", runtime.PipelineOptions{}, &policy.ClientOptions{
		Transport: &http.Client{Transport: base, CheckRedirect: doNotFollow},
		Retry:     policy.RetryOptions{MaxRetries: attempts - 1, RetryDelay: firstWait, MaxRetryDelay: maxWait},
	})}, nil
}

// pipeline is azcore's as a RoundTripper.
type pipeline struct{ runtime.Pipeline }

// RoundTrip implements [http.RoundTripper].
func (p pipeline) RoundTrip(r *http.Request) (*http.Response, error) {
	req, err := runtime.NewRequestFromRequest(r)
	if err != nil {
		return nil, err
	}
	return p.Do(req)
}

// isOpen reports whether a circuit breaker refused the call.
func isOpen(err error) bool {
	return errors.As(err, new(*resilience.OpenError)) || errors.Is(err, circuitbreaker.ErrOpen) || isNaiveOpen(err)
}
