package resilience

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// What has gone through a record is what it was, and may be meant.
func TestPaceSurvivesTheWire(t *testing.T) {
	t.Parallel()
	now := wall()
	var p pace
	for i := range 5000 {
		now = now.Add(rand.N(100 * time.Millisecond)) //nolint:gosec // any will do
		p.accepted(now, p.Cuts, 1)
		p.take(now, Pacing{})
		switch i % 100 {
		case 3:
			p.throttled(now, p.Cuts-i%2, rand.N(3*time.Second)) //nolint:gosec // any will do
		case 7:
			p.ease(now, 1/float64(i), time.Minute)
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		back, ok := decode[pace](raw, now)
		if again, err := json.Marshal(back); !ok || err != nil || string(again) != string(raw) {
			t.Fatalf("%s came back as %s, %v", raw, again, err)
		}
		if len(raw) > 2048 {
			t.Fatalf("%d bytes", len(raw))
		}
		if a, b := p.learned(now), back.learned(now); a != b {
			t.Fatalf("%v/s became %v/s", a, b)
		}
	}
}

// Merging what one knows already changes nothing, and the order does not
// matter to what holds requests back.
func TestMerge(t *testing.T) {
	t.Parallel()
	start := wall()
	make := func() pace {
		var p pace
		now := start
		for range rand.IntN(4) { //nolint:gosec // any will do
			now = now.Add(rand.N(10 * time.Second)) //nolint:gosec // any will do
			p.accepted(now, p.Cuts, 30)
			p.throttled(now, p.Cuts, rand.N(5*time.Second)) //nolint:gosec // any will do
			p.take(now, Pacing{})
			p.ease(now, 5, rand.N(time.Minute)) //nolint:gosec // any will do
		}
		return p
	}
	for range 1000 {
		a, b := make(), make()
		ab, ba := a, b
		ab.merge(&b)
		ba.merge(&a)
		ab.Meter, ba.Meter = meter{}, meter{}
		if !reflect.DeepEqual(ab, ba) {
			t.Fatalf("%+v\n%+v", ab, ba)
		}
		again := ab
		again.merge(&b)
		if !reflect.DeepEqual(again, ab) {
			t.Fatalf("%+v\n%+v", ab, again)
		}
		if ab.Until.Before(a.Until) || ab.Until.Before(b.Until) || ab.Cuts < a.Cuts || ab.Cuts < b.Cuts {
			t.Fatalf("%+v\nforgets something of\n%+v\n%+v", ab, a, b)
		}
	}
}

// What one learns late of the time before a refusal is not lost on the way.
func TestMergeLateNews(t *testing.T) {
	t.Parallel()
	now := wall()
	var written pace
	written.accepted(now, 0, 50)
	written.throttled(now, 0, time.Second)
	own := written
	own.accepted(now.Add(time.Millisecond), 0, 30)
	if written.Rate != reckoned*50 || own.Rate != reckoned*80 {
		t.Fatalf("%v/s and %v/s were reckoned", written.Rate, own.Rate)
	}
	if written.merge(&own); written.Rate != own.Rate {
		t.Errorf("%v/s of %v/s", written.Rate, own.Rate)
	}
}

// Requests that are told of late are reckoned as if at the time.
func TestMeterSpread(t *testing.T) {
	t.Parallel()
	now := wall()
	for _, length := range []time.Duration{0, 50 * time.Millisecond, time.Second, 15 * time.Second, 5 * time.Minute, 3 * time.Hour} {
		var m meter
		n := max(int(100*length.Seconds()), 1)
		m.spread(now.Add(-length), now, n)
		if total := m.total(); total != n && length < time.Hour {
			t.Errorf("%v: %d of %d counted", length, total, n)
		}
		if quota := m.quota(now, time.Second); length > 10*time.Second && math.Abs(quota-100) > 15 {
			t.Errorf("%v: a quota of %.0f/s, want about 100", length, quota)
		}
	}
	var m meter
	if m.spread(time.Time{}, now, 0); m != (meter{}) {
		t.Error("nothing was counted")
	}
}
