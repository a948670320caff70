package web

import "testing"

// TestBounded finds that a million addresses cost no more than those that are
// remembered, and that who is seen again stays.
func TestBounded(t *testing.T) {
	l := lru[int, int]{max: 100}
	for i := range 1_000_000 {
		l.set(i, i)
		if _, ok := l.get(0); !ok {
			t.Fatal("the one in use was forgotten")
		}
	}
	if len(l.entries) != 100 || l.order.Len() != 100 {
		t.Errorf("%d entries", len(l.entries))
	}
	if v, ok := l.get(999_999); !ok || v != 999_999 {
		t.Error("the newest was forgotten")
	}
	l.remove(0)
	l.remove(0)
	if _, ok := l.get(0); ok || len(l.entries) != 99 || l.order.Len() != 99 {
		t.Error("not removed")
	}
}
