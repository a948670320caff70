package inbound_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/inbound"
)

func TestGoodTokens(t *testing.T) {
	for _, test := range []struct {
		name         string
		head, claims m
		user         string
		scopes       []string
		app          bool
	}{
		{"Entra v2", header(nil), entraClaims(nil), tenant + "|" + object, []string{"tools.read", "tools.write"}, false},
		{"an application", header(nil), entraClaims(m{"scp": nil, "roles": []string{"tools.all"}, "idtyp": "app"}), tenant + "|" + object, []string{"tools.all"}, true},
		{"no oid", header(nil), entraClaims(m{"oid": nil}), entraV2 + "|pairwise", []string{"tools.read", "tools.write"}, false},
		{"RFC 9068", header(m{"typ": "at+jwt"}), plainClaims(nil), plain + "|alice", []string{"tools.read"}, false},
		{"long type", header(m{"typ": "application/AT+JWT"}), plainClaims(nil), plain + "|alice", []string{"tools.read"}, false},
		{"PS256", header(m{"alg": "PS256"}), plainClaims(nil), plain + "|alice", []string{"tools.read"}, false},
		{"ES256", header(m{"alg": "ES256", "kid": "ec"}), plainClaims(nil), plain + "|alice", []string{"tools.read"}, false},
		{"EdDSA", header(m{"alg": "EdDSA", "kid": "ed"}), plainClaims(nil), plain + "|alice", []string{"tools.read"}, false},
		{"fractions", header(nil), plainClaims(m{"exp": float64(time.Now().Unix()) + 0.5}), plain + "|alice", []string{"tools.read"}, false},
		{"within the skew", header(nil), plainClaims(m{"exp": time.Now().Unix() - 50, "nbf": time.Now().Unix() + 50}), plain + "|alice", []string{"tools.read"}, false},
		// Of another issuer, tid and oid are just words.
		{"borrowed identity", header(nil), plainClaims(m{"tid": tenant, "oid": object}), plain + "|alice", []string{"tools.read"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			verify := newVerifier(t, config(t, newIssuers()))
			raw := sign(test.head, test.claims)
			info, err := verify(t.Context(), raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			if info.UserID != test.user || !slices.Equal(info.Scopes, test.scopes) || info.Extra["app_only"] != test.app || info.Expiration.IsZero() {
				t.Errorf("got %+v", info)
			}
			shown, err := json.Marshal(info)
			if err != nil {
				t.Fatal(err)
			}
			all := fmt.Sprintf("%v %+v %#v %s", info, *info, info, shown)
			if part := raw[strings.LastIndex(raw, "."):]; strings.Contains(all, part) {
				t.Error("the token can be printed")
			}
		})
	}
}

func TestEntraV1(t *testing.T) {
	upstream := newIssuers()
	upstream.set("https://login.microsoftonline.com/"+tenant+"/discovery/keys", keys(""))
	verify := newVerifier(t, config(t, upstream))
	info, err := verify(t.Context(), sign(header(m{"x5t": "rsa"}), entraClaims(m{"iss": entraV1, "ver": "1.0", "azp": nil, "appid": "client"})), nil)
	if err != nil || info.UserID != tenant+"|"+object || info.Extra["client_id"] != "client" {
		t.Fatal(info, err)
	}
}

func TestSeveralTenants(t *testing.T) {
	other := strings.Replace(stranger, "f", "e", 3)
	entra, err := inbound.Entra(auth.CloudGlobal, tenant, strings.ToUpper(stranger))
	if err != nil {
		t.Fatal(err)
	}
	upstream := newIssuers()
	upstream.set("https://login.microsoftonline.com/common/discovery/v2.0/keys", keys("https://login.microsoftonline.com/{tenantid}/v2.0"))
	verify := newVerifier(t, inbound.Config{Issuers: entra, Audiences: []string{audience}, Transport: upstream})
	for id, want := range map[string]bool{tenant: true, stranger: true, other: false} {
		_, err := verify(t.Context(), sign(header(nil), entraClaims(m{"tid": id, "iss": "https://login.microsoftonline.com/" + id + "/v2.0"})), nil)
		if (err == nil) != want {
			t.Errorf("tenant %s: %v", id, err)
		}
	}
	if upstream.fetches() != 1 {
		t.Errorf("%d fetches for one key set", upstream.fetches())
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := func() inbound.Config { return config(t, nil) }
	for name, spoil := range map[string]func(*inbound.Config){
		"no issuer":          func(c *inbound.Config) { c.Issuers = nil },
		"no audience":        func(c *inbound.Config) { c.Audiences = nil },
		"empty audience":     func(c *inbound.Config) { c.Audiences = []string{""} },
		"none":               func(c *inbound.Config) { c.Algorithms = []string{"none"} },
		"HS256":              func(c *inbound.Config) { c.Algorithms = []string{"RS256", "HS256"} },
		"skew":               func(c *inbound.Config) { c.ClockSkew = time.Hour },
		"key age":            func(c *inbound.Config) { c.KeyAge = time.Second },
		"key life":           func(c *inbound.Config) { c.KeyLife = 48 * time.Hour },
		"http keys":          func(c *inbound.Config) { c.Issuers[2].KeysURL = "http://issuer.example/keys" },
		"any tenant":         func(c *inbound.Config) { c.Issuers[0].Tenants = nil },
		"tenants of nobody":  func(c *inbound.Config) { c.Issuers[2].Tenants = []string{tenant} },
		"tenant by name":     func(c *inbound.Config) { c.Issuers[0].Tenants = []string{"contoso.com"} },
		"issuer with a pipe": func(c *inbound.Config) { c.Issuers[2].ID = "https://issuer.example|x" },
	} {
		c := good()
		spoil(&c)
		if _, err := inbound.NewVerifier(t.Context(), c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, tenants := range [][]string{nil, {"common"}, {"contoso.com"}, {tenant, ""}} {
		if _, err := inbound.Entra("", tenants...); err == nil {
			t.Errorf("tenants %q: accepted", tenants)
		}
	}
}

// TestKeyStorm is the other half of T5: a flood of made-up key ids.
func TestKeyStorm(t *testing.T) {
	pairs() // outside the bubble: it takes real time
	synctest.Test(t, func(t *testing.T) {
		upstream := newIssuers()
		verify := newVerifier(t, config(t, upstream))
		start := time.Now()
		for i := range 2_000 {
			_, err := verify(t.Context(), sign(header(m{"kid": fmt.Sprintf("made-up-%d", i), "alg": "EdDSA"}), plainClaims(nil)), nil)
			if !errors.Is(err, mcpauth.ErrInvalidToken) {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if most := int(time.Since(start)/time.Minute) + 1; upstream.fetches() > most {
			t.Errorf("%d fetches in %v", upstream.fetches(), time.Since(start))
		}
		if _, err := verify(t.Context(), sign(header(nil), plainClaims(nil)), nil); err != nil {
			t.Error("a good token during the storm:", err)
		}
	})
}

// TestKeyStormConcurrent has all of them come at once.
func TestKeyStormConcurrent(t *testing.T) {
	pairs()
	synctest.Test(t, func(t *testing.T) {
		upstream := newIssuers()
		verify := newVerifier(t, config(t, upstream))
		good := sign(header(m{"alg": "EdDSA", "kid": "ed"}), plainClaims(nil))
		errs := make(chan error, 200)
		for range cap(errs) {
			go func() {
				_, err := verify(t.Context(), good, nil)
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if upstream.fetches() != 1 {
			t.Errorf("%d fetches", upstream.fetches())
		}
	})
}

func TestKeyRotation(t *testing.T) {
	pairs()
	synctest.Test(t, func(t *testing.T) {
		upstream := newIssuers()
		verify := newVerifier(t, config(t, upstream))
		check := func(when string, kid string, want error) {
			t.Helper()
			if _, err := verify(t.Context(), sign(header(m{"kid": kid}), plainClaims(nil)), nil); !errors.Is(err, want) {
				t.Errorf("%s: key %s: %v", when, kid, err)
			}
		}
		check("at first", "rsa", nil)
		upstream.set(plainKeys, m{"keys": []any{rsaKey("new", &pairs().rsa.PublicKey, nil)}})
		check("in the same minute", "new", mcpauth.ErrInvalidToken)
		check("in the same minute", "rsa", nil)
		time.Sleep(time.Minute)
		check("after a minute", "new", nil)
		check("withdrawn", "rsa", mcpauth.ErrInvalidToken)

		upstream.set(plainKeys, http.StatusFound) // unreachable, or redirected, which is as bad
		time.Sleep(2 * time.Hour)
		check("unreachable", "new", nil)
		time.Sleep(22 * time.Hour)
		check("unreachable for too long", "new", inbound.ErrKeysUnavailable)
		upstream.set(plainKeys, keys(""))
		check("reachable, too early", "rsa", inbound.ErrKeysUnavailable)
		time.Sleep(time.Minute)
		check("reachable again", "rsa", nil)
	})
}

// TestKeysAreRenewed finds that a withdrawn key ends within the hour, although
// nobody comes with an unknown one.
func TestKeysAreRenewed(t *testing.T) {
	pairs()
	synctest.Test(t, func(t *testing.T) {
		upstream := newIssuers()
		verify := newVerifier(t, config(t, upstream))
		good := func() error {
			_, err := verify(t.Context(), sign(header(nil), plainClaims(nil)), nil)
			synctest.Wait()
			return err
		}
		if err := good(); err != nil {
			t.Fatal(err)
		}
		upstream.set(plainKeys, m{"keys": []any{rsaKey("new", &pairs().rsa.PublicKey, nil)}})
		time.Sleep(time.Hour)
		if err := good(); err != nil { // this one asks for new keys, without waiting
			t.Error(err)
		}
		if err := good(); !errors.Is(err, mcpauth.ErrInvalidToken) {
			t.Error("a withdrawn key is accepted:", err)
		}
	})
}

func TestHostileKeySets(t *testing.T) {
	small := m{"kty": "RSA", "kid": "rsa", "n": b64([]byte(many(64, "\xff"))), "e": "AQAB"}
	crowd := []any{}
	for range 65 {
		crowd = append(crowd, rsaKey("rsa", &pairs().rsa.PublicKey, nil))
	}
	for name, set := range map[string]any{
		"not JSON":          "<html>",
		"too long":          `{"keys":[` + many(300<<10, " ") + `]}`,
		"too many":          m{"keys": crowd},
		"no keys":           m{"keys": []any{}},
		"small key":         m{"keys": []any{small}},
		"exponent 1":        m{"keys": []any{rsaKey("rsa", &pairs().rsa.PublicKey, m{"e": "AQ"})}},
		"even exponent":     m{"keys": []any{rsaKey("rsa", &pairs().rsa.PublicKey, m{"e": "Ag"})}},
		"off the curve":     m{"keys": []any{m{"kty": "EC", "crv": "P-256", "kid": "rsa", "x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))}}},
		"for encryption":    m{"keys": []any{rsaKey("rsa", &pairs().rsa.PublicKey, m{"use": "enc"})}},
		"not for verifying": m{"keys": []any{rsaKey("rsa", &pairs().rsa.PublicKey, m{"key_ops": []string{"encrypt"}})}},
		"status 500":        500,
		"redirect":          307,
	} {
		upstream := newIssuers()
		upstream.set(plainKeys, set)
		_, err := newVerifier(t, config(t, upstream))(t.Context(), sign(header(nil), plainClaims(nil)), nil)
		if !errors.Is(err, inbound.ErrKeysUnavailable) || upstream.fetches() != 1 {
			t.Errorf("%s: %v, %d fetches", name, err, upstream.fetches())
		}
	}
}

// TestCallerLeaves finds that a caller waits for keys no longer than its ctx,
// and that the fetch goes on for the others.
func TestCallerLeaves(t *testing.T) {
	pairs()
	synctest.Test(t, func(t *testing.T) {
		upstream := newIssuers()
		verify := newVerifier(t, config(t, slow{upstream, 5 * time.Second}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		good := sign(header(nil), plainClaims(nil))
		if _, err := verify(ctx, good, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := verify(t.Context(), good, nil); err != nil || upstream.fetches() != 1 {
			t.Error(err, upstream.fetches())
		}
	})
}

type slow struct {
	next http.RoundTripper
	wait time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(s.wait)
	return s.next.RoundTrip(r)
}
