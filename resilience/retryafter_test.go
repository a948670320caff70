package resilience_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

var noon = time.Date(2026, time.March, 5, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		value string
		want  time.Duration
		ok    bool
	}{
		{"0", 0, true},
		{"120", 2 * time.Minute, true},
		{" 7 ", 7 * time.Second, true},
		{"1.2", 2 * time.Second, true},
		{"3.0", 3 * time.Second, true},
		{"Thu, 05 Mar 2026 12:00:30 GMT", 30 * time.Second, true},
		{"Thursday, 05-Mar-26 12:00:30 GMT", 30 * time.Second, true},
		{"Thu Mar  5 12:00:30 2026", 30 * time.Second, true},
		{"Thu, 05 Mar 2026 11:00:00 GMT", 0, true},
		{"Fri, 31 Dec 9999 23:59:59 GMT", math.MaxInt64, true},
		{"9223372036854775807", math.MaxInt64, true},
		{"99999999999999999999999999", math.MaxInt64, true},
		{"120, 120", 2 * time.Minute, true}, // as proxies join them
		{"0,120", 2 * time.Minute, true},
		{"soon, 7", 7 * time.Second, true},
		{",", 0, false},
		{"", 0, false},
		{"-5", 0, false},
		{"+5", 0, false},
		{"soon", 0, false},
		{"5s", 0, false},
		{".5", 0, false},
		{"1e3", 0, false},
		{"٣", 0, false},
		{"Thu, 05 Mar 2026 12:00:30 CET", 0, false},
	}
	for _, test := range tests {
		got, ok := resilience.RetryAfter(http.Header{"Retry-After": {test.value}}, noon)
		if got != test.want || ok != test.ok {
			t.Errorf("%q = %v, %t; want %v, %t", test.value, got, ok, test.want, test.ok)
		}
	}
}

func TestRetryAfterOfSeveral(t *testing.T) {
	for _, test := range []struct {
		header http.Header
		want   time.Duration
	}{
		{http.Header{"Retry-After": {"0", "120"}}, 2 * time.Minute},
		{http.Header{"Retry-After": {"Thu, 05 Mar 2026 12:00:30 GMT", "20"}}, 30 * time.Second},
		// The server's clock is a minute behind ours, and then one ahead.
		{http.Header{"Retry-After": {"Thu, 05 Mar 2026 11:59:30 GMT"}, "Date": {"Thu, 05 Mar 2026 11:59:00 GMT"}}, 30 * time.Second},
		{http.Header{"Retry-After": {"Thu, 05 Mar 2026 12:01:30 GMT"}, "Date": {"Thu, 05 Mar 2026 12:01:00 GMT"}}, 90 * time.Second},
	} {
		if got, ok := resilience.RetryAfter(test.header, noon); got != test.want || !ok {
			t.Errorf("%v = %v, %t; want %v", test.header, got, ok, test.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "120", "-1", "1.5", "99999999999999999999", "Thu, 05 Mar 2026 12:00:30 GMT", "Thu Mar  5 12:00:30 2026", "0x10", "1_000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		wait, ok := resilience.RetryAfter(http.Header{"Retry-After": {value}}, noon)
		if wait < 0 || !ok && wait != 0 {
			t.Errorf("%q = %v, %t", value, wait, ok)
		}
	})
}
