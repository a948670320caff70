package inbound_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/auth/inbound"
)

const (
	tenant    = "8f4f4a3e-0000-4000-8000-0123456789ab"
	stranger  = "8f4f4a3e-0000-4000-8000-ffffffffffff"
	entraV1   = "https://sts.windows.net/" + tenant + "/"
	entraV2   = "https://login.microsoftonline.com/" + tenant + "/v2.0"
	entraKeys = "https://login.microsoftonline.com/" + tenant + "/discovery/v2.0/keys"
	plain     = "https://issuer.example"
	plainKeys = "https://issuer.example/keys"
	audience  = "api://toolbelt"
	object    = "11111111-0000-4000-8000-000000000001"
)

type m = map[string]any

// pairs are the private keys that all tests share: making them is slow.
var pairs = sync.OnceValue(func() (k struct {
	rsa, other *rsa.PrivateKey
	ec         *ecdsa.PrivateKey
	ed         ed25519.PrivateKey
}) {
	var errs [4]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.other, errs[1] = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, errs[3] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return k
})

// issuers answers requests for key sets in place of the network.
type issuers struct {
	mu    sync.Mutex
	sets  map[string]any // by URL; a number is a status
	count map[string]int
}

func newIssuers() *issuers {
	return &issuers{
		sets:  map[string]any{entraKeys: keys("https://login.microsoftonline.com/{tenantid}/v2.0"), plainKeys: keys("")},
		count: map[string]int{},
	}
}

func (s *issuers) set(url string, answer any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[url] = answer
}

func (s *issuers) fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.count {
		n += c
	}
	return n
}

func (s *issuers) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[r.URL.String()]++
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	var body []byte
	switch answer := s.sets[r.URL.String()].(type) {
	case nil:
		return nil, errors.New("no such host")
	case int:
		response.StatusCode = answer
		response.Header.Set("Location", "https://evil.example/keys")
	case string:
		body = []byte(answer)
	default:
		body = encode(answer)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func rsaKey(id string, k *rsa.PublicKey, more m) m {
	j := m{"kty": "RSA", "kid": id, "use": "sig", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	maps.Copy(j, more)
	return j
}

func keys(issuer string) m {
	k := pairs()
	point, err := k.ec.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	more := m{}
	if issuer != "" {
		more["issuer"] = issuer
	}
	return m{"keys": []any{
		rsaKey("rsa", &k.rsa.PublicKey, more),
		rsaKey("rs256only", &k.rsa.PublicKey, m{"alg": "RS256"}),
		rsaKey("personal", &k.rsa.PublicKey, m{"issuer": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"}),
		rsaKey("encryption", &k.rsa.PublicKey, m{"use": "enc"}),
		m{"kty": "EC", "crv": "P-256", "kid": "ec", "x": b64(point[1:33]), "y": b64(point[33:])},
		m{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": b64(k.ed.Public().(ed25519.PublicKey))},
		m{"kty": "oct", "kid": "shared", "k": b64([]byte("secret"))},
	}}
}

// entraClaims are those of a good v2 token of Entra; more are added, and those
// that are nil are taken out.
func entraClaims(more m) m {
	now := time.Now().Unix()
	return with(m{
		"iss": entraV2, "aud": audience, "tid": tenant, "oid": object, "sub": "pairwise", "azp": "client", "ver": "2.0",
		"scp": "tools.read tools.write", "iat": now, "nbf": now, "exp": now + 3600,
	}, more)
}

// plainClaims are those of a good token of RFC 9068.
func plainClaims(more m) m {
	now := time.Now().Unix()
	return with(m{
		"iss": plain, "aud": []string{"other", audience}, "sub": "alice", "client_id": "client", "jti": "1",
		"scope": "tools.read", "iat": now, "exp": now + 3600,
	}, more)
}

func with(base, more m) m {
	for name, value := range more {
		if base[name] = value; value == nil {
			delete(base, name)
		}
	}
	return base
}

func header(more m) m { return with(m{"alg": "RS256", "kid": "rsa", "typ": "JWT"}, more) }

// sign makes a token; the algorithm of the header decides how.
func sign(head, claims m) string { return signRaw(head, string(encode(claims))) }

func signRaw(head m, claims string) string {
	k := pairs()
	signed := b64(encode(head)) + "." + b64([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch head["alg"] {
	case "PS256":
		signature, err = rsa.SignPSS(rand.Reader, k.rsa, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case "ES256":
		r, s, e := ecdsa.Sign(rand.Reader, k.ec, sum[:])
		if err = e; err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case "EdDSA":
		signature = ed25519.Sign(k.ed, []byte(signed))
	default:
		signature, err = rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA256, sum[:])
	}
	if err != nil {
		panic(err)
	}
	return signed + "." + b64(signature)
}

// hmacSign is the RS/HS confusion: the public key as a shared secret.
func hmacSign(head, claims m, secret []byte) string {
	signed := b64(encode(head)) + "." + b64(encode(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + b64(mac.Sum(nil))
}

func config(t testing.TB, transport http.RoundTripper) inbound.Config {
	t.Helper()
	entra, err := inbound.Entra("", tenant)
	if err != nil {
		t.Fatal(err)
	}
	return inbound.Config{
		Issuers:   append(entra, inbound.Issuer{ID: plain, KeysURL: plainKeys}),
		Audiences: []string{audience},
		Transport: transport,
	}
}

func newVerifier(t testing.TB, c inbound.Config) mcpauth.TokenVerifier {
	t.Helper()
	verify, err := inbound.NewVerifier(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return verify
}

func many(n int, text string) string { return strings.Repeat(text, n) }

// signOther signs with a key that no issuer published.
func signOther(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, pairs().other, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signature
}
