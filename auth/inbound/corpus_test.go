package inbound_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"
)

// corpus returns tokens that must not be accepted, by what is wrong with them.
func corpus(t testing.TB) map[string]string {
	t.Helper()
	good := sign(header(nil), entraClaims(nil))
	part := strings.Split(good, ".")
	head, body, signature := part[0], part[1], part[2]
	now := time.Now().Unix()
	public, err := x509.MarshalPKIXPublicKey(&pairs().rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	evil := rsaKey("evil", &pairs().other.PublicKey, nil)
	all := map[string]string{
		"empty": "", "dots": "..", "opaque": "opaque-token", "two parts": head + "." + body, "four parts": good + ".x",
		"five parts (encrypted)": good + "." + body + "." + signature,
		"no signature":           head + "." + body + ".", "no header": "." + body + "." + signature, "no body": head + ".." + signature,
		"changed body":      head + "." + b64(encode(entraClaims(m{"scp": "tools.admin"}))) + "." + signature,
		"changed header":    b64(encode(header(m{"x": 1}))) + "." + body + "." + signature,
		"cut signature":     good[:len(good)-4],
		"foreign signature": head + "." + body + "." + strings.Split(sign(header(nil), entraClaims(m{"sub": "x"})), ".")[2],
		"padded":            head + "=." + body + "." + signature, "line break": head + "\n." + body + "." + signature,
		"standard base64": head + "." + base64.StdEncoding.EncodeToString([]byte(`{"iss":"???>>>"}`)) + "." + signature,
		"bad base64":      "%%%." + body + "." + signature, "spaces": " " + good, "oversized": sign(header(nil), entraClaims(m{"pad": many(16<<10, "x")})),
		"huge without dots": many(1<<20, "A"), "many dots": many(10_000, "."),
		"header is no object": b64([]byte(`"RS256"`)) + "." + body + "." + signature,
		"header is null":      b64([]byte(`null`)) + "." + body + "." + signature,
		"deep header":         b64([]byte(`{"alg":"RS256","x":`+many(5_000, "[")+many(5_000, "]")+`}`)) + "." + body + "." + signature,
		"HS256 with the key":  hmacSign(header(m{"alg": "HS256"}), entraClaims(nil), block),
		"HS256 with the DER":  hmacSign(header(m{"alg": "HS256"}), entraClaims(nil), public),
		"HS256 with n":        hmacSign(header(m{"alg": "HS256"}), entraClaims(nil), pairs().rsa.N.Bytes()),
		"HS256, shared key":   hmacSign(header(m{"alg": "HS256", "kid": "shared"}), plainClaims(nil), []byte("secret")),
		"HMAC called RS256":   hmacSign(header(nil), entraClaims(nil), block),
		"signed by another":   signWithOther(header(nil), entraClaims(nil)),
		"jwk in the header":   signWithOther(header(m{"kid": "evil", "jwk": evil}), entraClaims(nil)),
		"jwk, known kid":      signWithOther(header(m{"jwk": evil}), entraClaims(nil)),
		"jku in the header":   signWithOther(header(m{"kid": "evil", "jku": "https://evil.example/keys"}), entraClaims(nil)),
		"x5u in the header":   signWithOther(header(m{"kid": "evil", "x5u": "https://evil.example/cert"}), entraClaims(nil)),
		"x5c in the header":   signWithOther(header(m{"x5c": []string{base64.StdEncoding.EncodeToString(public)}}), entraClaims(nil)),
		"ES256 zero":          b64(encode(header(m{"alg": "ES256", "kid": "ec"}))) + "." + b64(encode(plainClaims(nil))) + "." + b64(make([]byte, 64)),
		"duplicate alg":       b64([]byte(`{"alg":"none","alg":"RS256","kid":"rsa","typ":"JWT"}`)) + "." + body + "." + signature,
		"capital ALG":         b64([]byte(`{"ALG":"RS256","kid":"rsa","typ":"JWT"}`)) + "." + body + "." + signature,
	}
	for name, more := range map[string]m{
		"none": {"alg": "none"}, "None": {"alg": "None"}, "NONE": {"alg": "NONE"}, "empty alg": {"alg": ""}, "alg list": {"alg": []string{"RS256"}}, "no alg": {"alg": nil},
		"small alg": {"alg": "rs256"}, "RS384": {"alg": "RS384"}, "RS1": {"alg": "RS1"}, "HS512": {"alg": "HS512"}, "dir": {"alg": "dir"},
		"swapped to PS256": {"alg": "PS256", "kid": "rs256only"}, "RS with an EC key": {"kid": "ec"}, "RS with an Ed key": {"kid": "ed"}, "ES with an RSA key": {"alg": "ES256"},
		"EdDSA with an RSA key": {"alg": "EdDSA"}, "key for encryption": {"kid": "encryption"}, "key of personal accounts": {"kid": "personal"},
		"no kid": {"kid": nil}, "empty kid": {"kid": ""}, "kid list": {"kid": []string{"rsa"}}, "kid path": {"kid": "../../../../dev/null"}, "kid SQL": {"kid": "x' UNION SELECT 'k"},
		"kid shell": {"kid": "rsa;id"}, "kid URL": {"kid": "https://evil.example/k"}, "kid NUL": {"kid": "rsa\x00"}, "kid long": {"kid": many(600, "k")}, "kid spaces": {"kid": "rsa "},
		"ID token type": {"typ": "id+jwt"}, "logout token": {"typ": "logout+jwt"}, "security event": {"typ": "secevent+jwt"}, "DPoP proof": {"typ": "dpop+jwt"}, "no type": {"typ": nil}, "type list": {"typ": []string{"JWT"}},
		"crit": {"crit": []string{"exp"}}, "crit b64": {"crit": []string{"b64"}, "b64": false}, "empty crit": {"crit": []string{}}, "null crit": {"crit": nil, "alg": "none"},
	} {
		all["header: "+name] = sign(header(more), entraClaims(nil))
		all["header, unsigned: "+name] = b64(encode(header(more))) + "." + body + "."
	}
	for name, more := range map[string]m{
		"no issuer": {"iss": nil}, "other issuer": {"iss": "https://evil.example"}, "issuer list": {"iss": []string{entraV2}}, "issuer slash": {"iss": entraV2 + "/"}, "issuer case": {"iss": strings.ToUpper(entraV2)},
		"issuer template": {"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}, "template as tenant": {"iss": "https://login.microsoftonline.com/{tenantid}/v2.0", "tid": "{tenantid}"},
		"other tenant": {"tid": stranger, "iss": "https://login.microsoftonline.com/" + stranger + "/v2.0"}, "tenant not the issuer's": {"tid": stranger}, "issuer not the tenant's": {"iss": "https://login.microsoftonline.com/" + stranger + "/v2.0"},
		"no tenant": {"tid": nil}, "tenant list": {"tid": []string{tenant}}, "tenant in capitals": {"tid": strings.ToUpper(tenant)}, "tenant path": {"tid": tenant + "/../x"},
		"no audience": {"aud": nil}, "other audience": {"aud": "https://graph.microsoft.com"}, "audience list": {"aud": []string{"a", "b"}}, "empty audience": {"aud": ""}, "audience words": {"aud": "other " + audience}, "audience prefix": {"aud": audience + "/x"}, "audience mixed": {"aud": []any{audience, 1}}, "audience object": {"aud": m{audience: true}}, "audience case": {"aud": strings.ToUpper(audience)},
		"expired": {"exp": now - 61}, "no exp": {"exp": nil}, "exp text": {"exp": "9999999999"}, "exp null": {"exp": []any{nil}}, "exp negative": {"exp": -1}, "exp zero": {"exp": 0}, "exp absurd": {"exp": 1e300}, "exp milliseconds of 50000 years": {"exp": int64(1) << 50},
		"not yet": {"nbf": now + 3600}, "nbf text": {"nbf": "0"}, "issued later": {"iat": now + 3600}, "iat object": {"iat": m{}},
		"no subject": {"sub": nil, "oid": nil}, "no client (ID token)": {"azp": nil}, "nonce (ID token)": {"nonce": "n"}, "at_hash (ID token)": {"at_hash": "h"}, "logout events": {"events": m{}},
		"scopes of numbers": {"scp": []any{1}}, "scopes as object": {"scp": m{"tools.admin": true}}, "roles as number": {"roles": 7},
	} {
		all["claims: "+name] = sign(header(nil), entraClaims(more))
	}
	for name, body := range map[string]string{
		"duplicate": strings.Replace(string(encode(entraClaims(nil))), `{`, `{"aud":"https://graph.microsoft.com",`, 1), "duplicate by escape": strings.Replace(string(encode(entraClaims(nil))), `{`, `{"\u0061ud":"x",`, 1),
		"nested duplicate": strings.Replace(string(encode(entraClaims(nil))), `{`, `{"x":[{"a":1,"a":2}],`, 1), "trailing": string(encode(entraClaims(nil))) + `{}`, "trailing text": string(encode(entraClaims(nil))) + "x",
		"array": `[` + string(encode(entraClaims(nil))) + `]`, "cut": strings.TrimSuffix(string(encode(entraClaims(nil))), "}"), "not UTF-8": strings.Replace(string(encode(entraClaims(nil))), `pairwise`, "\xff", 1), "deep": `{"x":` + many(3_000, "[") + many(3_000, "]") + `}`,
		"exponent": strings.Replace(string(encode(entraClaims(m{"exp": 77777}))), "77777", "1e999999999", 1), "empty": ``, "null": `null`, "number": `1`, "BOM": "\ufeff" + string(encode(entraClaims(nil))),
	} {
		all["payload: "+name] = signRaw(header(nil), body)
	}
	return all
}

func signWithOther(head, claims m) string {
	good := sign(head, claims)
	signed := good[:strings.LastIndex(good, ".")]
	return signed + "." + b64(signOther(signed))
}

// TestCorpus is threat T5: tokens that were not issued for this server, or by
// nobody at all. None is accepted, and together they cause one fetch a minute.
func TestCorpus(t *testing.T) {
	pairs()
	synctest.Test(t, func(t *testing.T) {
		upstream := newIssuers()
		verify := newVerifier(t, config(t, upstream))
		accepted, fetches := 0, 0
		for name, raw := range corpus(t) {
			before := time.Now()
			info, err := verify(t.Context(), raw, nil)
			if err == nil || info != nil {
				accepted++
				t.Errorf("%s: accepted: %v", name, info)
				continue
			}
			if !errors.Is(err, mcpauth.ErrInvalidToken) {
				t.Errorf("%s: %v", name, err)
			}
			if len(raw) > 40 && strings.Contains(err.Error(), raw[len(raw)-20:]) {
				t.Errorf("%s: the error quotes the token", name)
			}
			if !before.Equal(time.Now()) {
				t.Errorf("%s: waited", name)
			}
		}
		if fetches = upstream.fetches(); fetches > 2 { // one for each of two key sets
			t.Errorf("%d fetches", fetches)
		}
		t.Logf("%d tokens, %d accepted, %d fetches", len(corpus(t)), accepted, fetches)
		if _, err := verify(t.Context(), sign(header(nil), entraClaims(nil)), nil); err != nil {
			t.Error("the good token is refused:", err)
		}
	})
}

func FuzzToken(f *testing.F) {
	for _, raw := range corpus(f) {
		if len(raw) < 4<<10 {
			f.Add(raw)
		}
	}
	good := sign(header(nil), entraClaims(m{"exp": time.Now().Unix() + 1e6}))
	f.Add(good)
	verify := newVerifier(f, config(f, newIssuers()))
	f.Fuzz(func(t *testing.T, raw string) {
		info, err := verify(t.Context(), raw, nil)
		if err == nil && raw != good {
			t.Errorf("accepted: %v", info)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, head := range []m{header(nil), header(m{"alg": "ES256", "kid": "ec"}), header(m{"alg": "EdDSA", "kid": "ed"})} {
		b.Run(head["alg"].(string), func(b *testing.B) {
			verify := newVerifier(b, config(b, newIssuers()))
			raw := sign(head, plainClaims(nil))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verify(b.Context(), raw, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
