package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/cache"
)

// counting returns a load that counts its calls and takes a second.
func counting(loads *int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		*loads++
		n := *loads
		select {
		case <-time.After(time.Second):
			return n, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func TestValuesAreKeptForTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.Cache[int]{TTL: time.Minute}
		loads := 0
		get := func(want int) {
			t.Helper()
			if got, err := c.Get(t.Context(), "k", counting(&loads)); err != nil || got != want {
				t.Errorf("got %d, %v, want %d", got, err, want)
			}
		}
		get(1)
		time.Sleep(59 * time.Second)
		get(1)
		time.Sleep(2 * time.Second)
		get(2)
		c.Drop()
		get(3)
		if got, err := c.Get(t.Context(), "other", counting(&loads)); got != 4 || err != nil {
			t.Errorf("another key gave %d, %v", got, err)
		}
	})
}

func TestConcurrentCallersShareALoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.Cache[int]{TTL: time.Minute}
		loads := 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got, err := c.Get(t.Context(), "k", counting(&loads)); got != 1 || err != nil {
					t.Errorf("got %d, %v", got, err)
				}
			})
		}
		wg.Wait()
		if loads != 1 {
			t.Errorf("%d loads", loads)
		}
	})
}

func TestFailuresAreNotKept(t *testing.T) {
	t.Parallel()
	c := cache.Cache[int]{TTL: time.Minute}
	broken := errors.New("broken")
	if _, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 7, nil }); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestACallerThatGivesUpDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.Cache[int]{TTL: time.Minute}
		loads := 0
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Get(first, "k", counting(&loads)); !errors.Is(err, context.Canceled) {
				t.Errorf("the one that gave up got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if got, err := c.Get(t.Context(), "k", counting(&loads)); got != 2 || err != nil {
				t.Errorf("the one that stayed got %d, %v", got, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

func TestASharingCallerWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.Cache[int]{TTL: time.Minute}
		loads := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			if got, err := c.Get(t.Context(), "k", counting(&loads)); got != 1 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
		})
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := c.Get(short, "k", counting(&loads)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wg.Wait()
	})
}

func TestAPanickingLoadLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	c := cache.Cache[int]{TTL: time.Minute}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { panic("bug") })
		t.Errorf("came back with %v", err)
	}()
	if got, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 7, nil }); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.Cache[int]{TTL: time.Hour}
		loads := 0
		load := func(context.Context) (int, error) { loads++; return loads, nil }
		for i := range 3000 {
			if _, err := c.Get(t.Context(), fmt.Sprint(i), load); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		before := loads
		for _, recent := range []string{"2999", "2500"} {
			if _, err := c.Get(t.Context(), recent, load); err != nil || loads != before {
				t.Errorf("%s was forgotten (%v)", recent, err)
			}
		}
		if _, err := c.Get(t.Context(), "0", load); err != nil || loads != before+1 {
			t.Errorf("the oldest was kept (%v)", err)
		}
	})
}
