package graph

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// What is throttled together shares a key, what is not does not, and a key tells
// nobody whose mailbox it is.
func TestKeys(t *testing.T) {
	t.Parallel()
	who := "a"
	c, err := New(auth.Static("opaque"), Options{Identity: func(context.Context) string { return who }})
	if err != nil {
		t.Fatal(err)
	}
	key := func(path string) string {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "Graph.Microsoft.com", Path: "/v1.0/" + path}}
		k := c.keys(r)
		if k.Breaker != "graph.microsoft.com" {
			t.Errorf("%s: breaker %s", path, k.Breaker)
		}
		if outlook := strings.HasPrefix(k.Throttle, "graph.microsoft.com/outlook/"); outlook != (k.MaxInFlight == 4) {
			t.Errorf("%s: %s, %d at once", path, k.Throttle, k.MaxInFlight)
		}
		if strings.Contains(k.Throttle, "example") {
			t.Errorf("%s: the key %s tells whose it is", path, k.Throttle)
		}
		return k.Throttle
	}
	for _, same := range [][2]string{
		{"me/messages", "me/mailFolders/inbox/messages/x"},
		{"users/amy@example.com/messages", "users/AMY@example.com/calendarView"},
		{"users/amy@example.com/events/x", "users/amy@example.com/sendMail"},
		{"users", "groups"}, {"users/amy@example.com", "users/bob@example.com/memberOf"},
		{"users/amy@example.com/microsoft.graph.getMailTips", "users/amy@example.com/messages"},
		{"sites/s/lists", "sites/s/drive/root"}, {"me/people", "me/messages"}, {"users/amy@example.com/photo/$value", "users/amy@example.com/messages"},
	} {
		if a, b := key(same[0]), key(same[1]); a != b {
			t.Errorf("%s has %s, and %s has %s", same[0], a, same[1], b)
		}
	}
	for _, other := range [][2]string{
		{"users/amy@example.com/messages", "users/bob@example.com/messages"},
		{"users/amy@example.com/messages", "users/amy@example.com"},
		{"me/messages", "users"}, {"sites/s", "sites/t"}, {"me/messages", "me/drive/root"}, {"$batch", "search/query"},
		{"places/microsoft.graph.room", "users"},
	} {
		if a, b := key(other[0]), key(other[1]); a == b {
			t.Errorf("%s and %s share %s", other[0], other[1], a)
		}
	}
	mine := key("me/messages")
	if who = "b"; key("me/messages") == mine {
		t.Error("two people share the key of /me")
	}
}

// tokenFor is an access token that says it is somebody's. Only the signature tells
// one from another, and a forged one from Graph's.
func tokenFor(oid, signature string) *oauth2.Token {
	payload := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"tid":"t","oid":%q,"scp":"Mail.Read"}`, oid))
	return &oauth2.Token{AccessToken: "e30." + payload + "." + signature, TokenType: "Bearer", Expiry: time.Now().Add(time.Hour)}
}

// renewing is a source whose tokens are somebody's and differ from each other.
func renewing(t *testing.T, oid string) *auth.Source {
	t.Helper()
	renewals := 0
	source := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		renewals++
		return tokenFor(oid, fmt.Sprintf("real%d", renewals)), nil
	}, auth.SourceOptions{})
	t.Cleanup(source.Close)
	return source
}

// What a mailbox has asked for is not forgotten with the token, and holds nobody
// else.
func TestRenewalKeepsTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		amy, bob := renewing(t, "amy"), renewing(t, "bob")
		asked := map[string]int{} // by token
		options := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			asked[r.Header.Get("Authorization")]++
			w.Header().Set("Retry-After", "300")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		c, err := New(auth.SourceFunc(func(ctx context.Context) (auth.TokenSource, error) {
			source, _ := ctx.Value(tokenKey{}).(*auth.Source)
			return source, nil
		}), options)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for _, source := range []*auth.Source{amy, bob} {
				ctx := context.WithValue(t.Context(), tokenKey{}, source)
				if err := c.get(ctx, "/me/messages", nil, nil, nil); codeOf(err) != mcptools.CodeThrottled || waitOf(err) != 300*time.Second {
					t.Errorf("got %v", err)
				}
				token, err := source.TokenContext(ctx)
				if err != nil {
					t.Fatal(err)
				}
				source.Invalidate(token)
			}
		}
		if len(asked) != 2 || asked["Bearer "+tokenFor("amy", "real1").AccessToken] != 1 || asked["Bearer "+tokenFor("bob", "real1").AccessToken] != 1 {
			t.Errorf("asked %v", asked)
		}
	})
}

// A token that says it is Amy's takes none of her places, closes no gate of hers,
// and learns of none.
func TestForgedTokensHoldNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		amy := renewing(t, "amy")
		var forged atomic.Int64
		options := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.Header.Get("Authorization"), "forged"):
				if forged.Add(1) > 4 {
					w.Header().Set("Retry-After", "300")
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				time.Sleep(10 * time.Second)
				w.WriteHeader(http.StatusUnauthorized)
			case r.URL.Path == "/me/messages/busy":
				w.Header().Set("Retry-After", "300")
				w.WriteHeader(http.StatusTooManyRequests)
			default:
				fmt.Fprint(w, `{}`)
			}
		})
		c, err := New(auth.SourceFunc(func(ctx context.Context) (auth.TokenSource, error) {
			if token, ok := ctx.Value(tokenKey{}).(string); ok { // that the caller brought along
				return auth.Func(func(context.Context) (*oauth2.Token, error) { return &oauth2.Token{AccessToken: token}, nil }), nil
			}
			return amy, nil
		}), options)
		if err != nil {
			t.Fatal(err)
		}
		get := func(ctx context.Context, path string) mcptools.Code { return codeOf(c.get(ctx, path, nil, nil, nil)) }
		forger := context.WithValue(t.Context(), tokenKey{}, tokenFor("amy", "forged").AccessToken)
		var attack sync.WaitGroup
		for range 4 {
			attack.Go(func() {
				if got := get(forger, "/me/messages"); got != mcptools.CodeUnauthenticated {
					t.Errorf("forged: %s", got)
				}
			})
		}
		synctest.Wait() // all of them are under way
		start := time.Now()
		if got := get(t.Context(), "/me/messages"); got != "" || time.Since(start) > 0 {
			t.Errorf("beside forged requests: %s after %s", got, time.Since(start))
		}
		attack.Wait()
		for _, step := range []struct {
			ctx  context.Context //nolint:containedctx // whose call it is
			path string
			want mcptools.Code
		}{
			{forger, "/me/messages", mcptools.CodeThrottled},
			{t.Context(), "/me/messages", ""}, // not for her
			{t.Context(), "/me/messages/busy", mcptools.CodeThrottled},
		} {
			if got := get(step.ctx, step.path); got != step.want {
				t.Errorf("%s: %s, want %s", step.path, got, step.want)
			}
		}
		other := context.WithValue(t.Context(), tokenKey{}, tokenFor("amy", "also-forged").AccessToken)
		before := forged.Load()
		if got := get(other, "/me/messages"); got != mcptools.CodeThrottled || forged.Load() != before+1 {
			t.Errorf("%s: a forged token was held at the gate of whom it names", got)
		}
	})
}
