package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/cenkalti/backoff/v4"
	"github.com/sony/gobreaker"
)

// composed is what many write when they need both: a retry from one package
// around a breaker from another, without a thought for bodies and methods.
type composed struct {
	base    http.RoundTripper
	breaker *gobreaker.CircuitBreaker
}

func naive(_ string, base http.RoundTripper) (http.RoundTripper, error) {
	// ReadyToTrip is gobreaker's own: more than five failures in a row.
	return &composed{base, gobreaker.NewCircuitBreaker(gobreaker.Settings{Name: "api", Timeout: cooldown})}, nil
}

// RoundTrip implements [http.RoundTripper].
func (c *composed) RoundTrip(req *http.Request) (*http.Response, error) {
	var resp *http.Response
	try := func() error {
		_, err := c.breaker.Execute(func() (any, error) {
			r, err := c.base.RoundTrip(req) //nolint:bodyclose // the mistake that is being measured
			if err != nil {
				return nil, err
			}
			if r.StatusCode == http.StatusTooManyRequests || r.StatusCode >= http.StatusInternalServerError {
				return nil, fmt.Errorf("status %d", r.StatusCode)
			}
			resp = r
			return nil, nil
		})
		if isNaiveOpen(err) {
			return backoff.Permanent(err)
		}
		return err
	}
	policy := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstWait), backoff.WithMaxInterval(maxWait))
	err := backoff.Retry(try, backoff.WithContext(backoff.WithMaxRetries(policy, attempts-1), req.Context()))
	return resp, err
}

func isNaiveOpen(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}
