package resilience_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

func TestRefuseHookIsToldWhatWasNotAttempted(t *testing.T) {
	type told struct {
		attempts int
		err      error
	}
	run := func(t *testing.T, status int, retryAfter string, change func(*resilience.Options), calls func(*resilience.Transport)) []told {
		var refused []told
		base := roundTripper(func(r *http.Request) (*http.Response, error) { return answer(r, status, retryAfter), nil })
		calls(newTransport(t, base, change, func(o *resilience.Options) {
			o.Hooks.Refuse = func(e resilience.RefuseEvent) {
				if e.Request == nil || e.Keys.Breaker != "api.example" {
					t.Errorf("event %+v", e)
				}
				refused = append(refused, told{e.Attempts, e.Err})
			}
		}))
		return refused
	}
	synctest.Test(t, func(t *testing.T) {
		refused := run(t, 503, "", func(o *resilience.Options) { o.Breaker.Consecutive, o.Retry.MaxAttempts = 1, 1 }, func(transport *resilience.Transport) {
			for range 2 {
				_, _ = send(t.Context(), t, transport, http.MethodGet)
			}
		})
		if len(refused) != 1 || refused[0].attempts != 0 {
			t.Fatalf("refused: %v", refused)
		}
		if _, ok := errors.AsType[*resilience.OpenError](refused[0].err); !ok {
			t.Errorf("breaker open: %v", refused[0].err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		refused := run(t, 429, "300", func(*resilience.Options) {}, func(transport *resilience.Transport) {
			for range 2 {
				_, _ = send(t.Context(), t, transport, http.MethodGet)
			}
		})
		if len(refused) != 1 || refused[0].attempts != 0 {
			t.Fatalf("refused: %v", refused)
		}
		if _, ok := errors.AsType[*resilience.ThrottledError](refused[0].err); !ok {
			t.Errorf("throttled: %v", refused[0].err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		refused := run(t, 429, "30", func(*resilience.Options) {}, func(transport *resilience.Transport) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, _ = send(ctx, t, transport, http.MethodGet)
		})
		if len(refused) != 1 || refused[0].attempts != 1 || !errors.Is(refused[0].err, context.Canceled) {
			t.Errorf("cancelled while it waits: %v", refused)
		}
	})
}
