// Package authtest helps to test sign-ins: [Server] is an authorization server in
// the test's own process, with the manners of Entra, Halo or the standards and
// hostile ones on demand; [TestKV] checks a store against its contract.
package authtest

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// TestKV checks that a KV keeps the contract of [auth.KV]. Open is called
// several times; all that it returns must reach the same values, as the
// connections of several processes do. The test uses ids of its own and
// removes none of them.
//
//	func TestContract(t *testing.T) {
//		authtest.TestKV(t, func() auth.KV { return mykv.New(address) })
//	}
func TestKV(t *testing.T, open func() auth.KV) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open func() auth.KV, id string)
	}{
		{"absent", kvAbsent}, {"swap", kvSwap}, {"ids", kvIDs}, {"values", kvValues}, {"owned", kvOwned},
		{"expiry", kvExpiry}, {"limits", kvLimits}, {"cancelled", kvCancelled}, {"one winner", kvOneWinner}, {"counter", kvCounter},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, open, fmt.Sprintf("test-%s-%d", strings.ReplaceAll(test.name, " ", "-"), time.Now().UnixNano()))
		})
	}
}

func kvAbsent(t *testing.T, open func() auth.KV, id string) {
	kv := open()
	holds(t, kv, id, nil)
	if err := kv.Delete(t.Context(), id); err != nil {
		t.Errorf("Delete of what is not there: %v", err)
	}
	swaps(t, kv, id, []byte("guess"), []byte("new"), 0, false)
	holds(t, kv, id, nil)
}

func kvSwap(t *testing.T, open func() auth.KV, id string) {
	kv, other := open(), open()
	swaps(t, kv, id, nil, []byte("one"), 0, true)
	holds(t, other, id, []byte("one"))
	swaps(t, other, id, nil, []byte("two"), 0, false)
	swaps(t, other, id, []byte("on"), []byte("two"), 0, false)
	swaps(t, other, id, []byte("one\x00"), []byte("two"), 0, false)
	holds(t, kv, id, []byte("one"))
	swaps(t, other, id, []byte("one"), []byte("two"), time.Hour, true)
	swaps(t, kv, id, []byte("one"), []byte("three"), 0, false)
	holds(t, kv, id, []byte("two"))
	if err := kv.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	holds(t, other, id, nil)
	swaps(t, other, id, []byte("two"), []byte("three"), 0, false)
	swaps(t, other, id, nil, []byte("again"), 0, true)
	holds(t, kv, id, []byte("again"))
}

// kvIDs uses ids that a file system, a pattern or a key format might confuse.
func kvIDs(t *testing.T, open func() auth.KV, id string) {
	kv := open()
	ids := []string{id, strings.ToUpper(id), id + ".", id + " ", id + "/../x", id + "*", id + "\\", id + "é", id + "e\u0301", id + ":lock", id + strings.Repeat("z", 256-len(id))}
	for i, id := range ids {
		swaps(t, kv, id, nil, []byte(strconv.Itoa(i)), 0, true)
	}
	for i, id := range ids {
		holds(t, kv, id, []byte(strconv.Itoa(i)))
		if err := kv.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
		holds(t, kv, id, nil)
	}
}

func kvValues(t *testing.T, open func() auth.KV, id string) {
	kv, old := open(), []byte(nil)
	for _, value := range [][]byte{{0}, []byte("\x00\xff\r\n\"'"), []byte("42"), []byte("\xc3\x28"), bytes.Repeat([]byte{7}, 512<<10)} {
		swaps(t, kv, id, old, value, 0, true)
		holds(t, open(), id, value)
		old = value
	}
}

func kvOwned(t *testing.T, open func() auth.KV, id string) {
	kv, value := open(), []byte("value")
	swaps(t, kv, id, nil, value, 0, true)
	copy(value, "other")
	got := holds(t, kv, id, []byte("value"))
	copy(got, "third")
	holds(t, kv, id, []byte("value"))
}

func kvExpiry(t *testing.T, open func() auth.KV, id string) {
	kv, other := open(), open()
	swaps(t, kv, id, nil, []byte("short"), 50*time.Millisecond, true)
	swaps(t, kv, id+"-kept", nil, []byte("short"), 50*time.Millisecond, true)
	swaps(t, kv, id+"-kept", []byte("short"), []byte("kept"), 0, true)
	swaps(t, kv, id+"-long", nil, []byte("long"), time.Hour, true)
	time.Sleep(120 * time.Millisecond)
	holds(t, other, id, nil)
	holds(t, other, id+"-kept", []byte("kept"))
	holds(t, other, id+"-long", []byte("long"))
	swaps(t, other, id, []byte("short"), []byte("no"), 0, false)
	swaps(t, other, id, nil, []byte("new"), 0, true)
	holds(t, kv, id, []byte("new"))
}

func kvLimits(t *testing.T, open func() auth.KV, id string) {
	kv := open()
	for _, bad := range []struct {
		id    string
		value []byte
	}{
		{"", []byte("v")}, {strings.Repeat("x", 257), []byte("v")}, {id, nil}, {id, []byte{}}, {id, make([]byte, 1<<20+1)},
	} {
		if ok, err := kv.CompareAndSwap(t.Context(), bad.id, nil, bad.value, 0); ok || err == nil {
			t.Errorf("id of %d bytes, value of %d: %v, %v, want an error", len(bad.id), len(bad.value), ok, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 257)} {
		if _, err := kv.Get(t.Context(), bad); err == nil {
			t.Errorf("Get of an id of %d bytes: no error", len(bad))
		}
		if err := kv.Delete(t.Context(), bad); err == nil {
			t.Errorf("Delete of an id of %d bytes: no error", len(bad))
		}
	}
	holds(t, kv, id, nil)
}

func kvCancelled(t *testing.T, open func() auth.KV, id string) {
	kv := open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, err := kv.CompareAndSwap(ctx, id, nil, []byte("v"), 0); ok || err == nil {
		t.Errorf("CompareAndSwap after its context ended: %v, %v", ok, err)
	}
	if _, err := kv.Get(ctx, id); err == nil {
		t.Error("Get after its context ended: no error")
	}
	holds(t, kv, id, nil)
}

func kvOneWinner(t *testing.T, open func() auth.KV, id string) {
	var winners atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		kv := open()
		all.Go(func() {
			ok, err := kv.CompareAndSwap(t.Context(), id, nil, []byte(strconv.Itoa(i)), time.Hour)
			if err != nil {
				t.Error(err)
			}
			if ok {
				winners.Add(1)
			}
		})
	}
	all.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d of 16 created the value, want 1", n)
	}
}

// kvCounter loses an update if CompareAndSwap is not atomic.
func kvCounter(t *testing.T, open func() auth.KV, id string) {
	const workers, each = 8, 10
	var all sync.WaitGroup
	for range workers {
		kv := open()
		all.Go(func() {
			for done := 0; done < each; {
				old, err := kv.Get(t.Context(), id)
				if err != nil {
					t.Error(err)
					return
				}
				n, _ := strconv.Atoi(string(old)) // nothing is 0
				ok, err := kv.CompareAndSwap(t.Context(), id, old, []byte(strconv.Itoa(n+1)), time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				if ok {
					done++
				}
			}
		})
	}
	all.Wait()
	holds(t, open(), id, []byte(strconv.Itoa(workers*each)))
}

func holds(t *testing.T, kv auth.KV, id string, want []byte) []byte {
	t.Helper()
	got, err := kv.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	if (got == nil) != (want == nil) || !bytes.Equal(got, want) {
		t.Fatalf("value %.40q, want %.40q", got, want)
	}
	return got
}

func swaps(t *testing.T, kv auth.KV, id string, old, value []byte, ttl time.Duration, want bool) {
	t.Helper()
	got, err := kv.CompareAndSwap(t.Context(), id, old, value, ttl)
	if err != nil {
		t.Fatalf("CompareAndSwap: %v", err)
	}
	if got != want {
		t.Fatalf("CompareAndSwap of %.20q to %.20q: %v, want %v", old, value, got, want)
	}
}
