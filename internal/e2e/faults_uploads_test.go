package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

const (
	uploadCalls   = 48 / slowed
	uploadWorkers = 4
)

// TestFaultsOfUploads sends mails with a large attachment in bad weather, which
// also breaks off the parts of uploads. A mail that was sent has its attachment,
// once.
func TestFaultsOfUploads(t *testing.T) {
	defer goleak.VerifyNone(t)
	upstream := new(attempts)
	w := newWorldWith(t, func(o *resilience.Options) { o.Hooks.Attempt = upstream.note })
	defer w.close()
	bad := weather
	bad.DropBefore, bad.DropAfter, bad.DropDuring = 0.05, 0.05, 0.02
	content := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("0123456789abcdef"), 3_300_000/16))
	reported := make([]mcptools.Code, uploadCalls)

	w.m365.Faults().SetRates(3, bad)
	start := time.Now()
	var workers sync.WaitGroup
	var next atomic.Int64
	for range uploadWorkers {
		workers.Go(func() {
			for n := int(next.Add(1)) - 1; n < uploadCalls; n = int(next.Add(1)) - 1 {
				args := fmt.Sprintf(`{"to":[%q],"subject":%q,"body":"x","attachments":[{"name":"a.bin","content_base64":%q}]}`, contact, marker(n), content)
				_, err := w.tools.Call(t.Context(), "m365_mail_send", json.RawMessage(args))
				if err == nil {
					continue
				}
				e, ok := errors.AsType[*mcptools.Error](err)
				if !ok || e.Code == mcptools.CodeInternal || e.Hint == "" && e.RetryAfter == 0 {
					t.Errorf("an error without a remedy: %v", err)
					continue
				}
				reported[n] = e.Code
			}
		})
	}
	workers.Wait()
	took := time.Since(start)
	w.m365.Faults().Clear()

	sent, times := writes{}, map[string]int{}
	for _, mail := range w.m365.Sent() {
		times[mail.Subject]++
		if len(mail.Attachments) != 1 || mail.Attachments[0] != "a.bin" {
			t.Errorf("%s was sent with %v", mail.Subject, mail.Attachments)
		}
	}
	for n, code := range reported {
		sent.note(string(code), times[marker(n)])
	}
	if sent.doubled+sent.lost > 0 || sent.done < uploadCalls/3 {
		t.Errorf("%+v", sent)
	}
	if v := w.m365.Violations(); len(v) > 0 {
		t.Errorf("%d violations, the first %+v", len(v), v[0])
	}
	t.Logf("%d mails with an upload in %s: %+v", uploadCalls, took.Round(time.Millisecond), sent)
	t.Logf("%d requests went upstream: %v; faults %v", upstream.all, upstream.classes, w.m365.Faults().Injected())
}
