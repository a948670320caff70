package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// A key of each kind; making an RSA key takes a while.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificate returns a self-signed certificate of key that ends at end.
func certificate(t testing.TB, key crypto.Signer, end time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tool"}, NotBefore: time.Unix(0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func pemOf(t testing.TB, key crypto.Signer, certificates ...[]byte) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, c := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c})...)
	}
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
}

// assertion is a decoded client assertion whose signature is good.
type assertion struct {
	header map[string]string
	claims map[string]any
}

func readAssertion(t *testing.T, raw string, key crypto.PublicKey) assertion {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch key := key.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPSS(key, crypto.SHA256, sum[:], decoded[2], &rsa.PSSOptions{SaltLength: 32}); err != nil {
			t.Error(err)
		}
	case *ecdsa.PublicKey:
		if len(decoded[2]) != 64 || !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:])) {
			t.Error("bad signature")
		}
	}
	var a assertion
	if err := errors.Join(json.Unmarshal(decoded[0], &a.header), json.Unmarshal(decoded[1], &a.claims)); err != nil {
		t.Fatal(err)
	}
	return a
}

// application makes a source that proves itself with client.
func application(t *testing.T, authority auth.Authority, client auth.ClientAuth) *auth.Source {
	t.Helper()
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{Authority: authority, ClientID: "app", ClientAuth: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

// again fetches one more token.
func again(t *testing.T, source *auth.Source) {
	t.Helper()
	token, err := source.TokenContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source.Invalidate(token)
}

// anyClient makes the server's token endpoint believe every client.
func anyClient(s *server) {
	s.answer(func(w http.ResponseWriter, _ url.Values) bool { s.issue(w, false); return true })
}

func TestCertificateAssertion(t *testing.T) {
	ec := ecKey(t, elliptic.P256())
	for name, test := range map[string]struct {
		key       crypto.Signer
		algorithm string
	}{"RSA": {rsaKey(), "PS256"}, "P-256": {ec, "ES256"}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			anyClient(s)
			der := certificate(t, test.key, time.Now().Add(time.Hour))
			other := certificate(t, ecKey(t, elliptic.P256()), time.Now().Add(time.Hour))
			client, err := auth.WithCertificate(pemOf(t, test.key, other, der)) // a chain, in any order
			if err != nil {
				t.Fatal(err)
			}
			source := application(t, s.authority(), client)
			again(t, source)
			again(t, source)
			sum := sha256.Sum256(der)
			seen := map[any]bool{}
			for n := range 2 {
				form := s.form(n)
				if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" ||
					form.Get("client_id") != "app" || form.Has("client_secret") {
					t.Errorf("form has %d fields", len(form))
				}
				a := readAssertion(t, form.Get("client_assertion"), test.key.Public())
				if a.header["alg"] != test.algorithm || a.header["typ"] != "JWT" || a.header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
					t.Errorf("header %v", a.header)
				}
				exp, _ := a.claims["exp"].(float64)
				if a.claims["iss"] != "app" || a.claims["sub"] != "app" || a.claims["aud"] != s.URL+"/token" || seen[a.claims["jti"]] ||
					exp <= float64(time.Now().Unix()) || exp > float64(time.Now().Add(10*time.Minute).Unix()) {
					t.Errorf("claims %v", a.claims)
				}
				seen[a.claims["jti"]] = true
			}
		})
	}
}

func TestPrivateKeyAssertion(t *testing.T) {
	s := newServer(t)
	anyClient(s)
	key := ecKey(t, elliptic.P256())
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := auth.WithPrivateKey(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), "k1")
	if err != nil {
		t.Fatal(err)
	}
	authority := s.authority()
	authority.AssertionAudience = "https://issuer.example"
	again(t, application(t, authority, client))
	a := readAssertion(t, s.form(0).Get("client_assertion"), key.Public())
	if a.header["kid"] != "k1" || a.header["x5t#S256"] != "" || a.claims["aud"] != "https://issuer.example" {
		t.Errorf("%v", a)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	later := time.Now().Add(time.Hour)
	p256, p384 := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384())
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is the point
	if err != nil {
		t.Skip("this platform makes no short keys") // so nobody can have one
	}
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("c4n4ry")})
	for name, content := range map[string][]byte{
		"nothing":          nil,
		"no PEM":           []byte("c4n4ry"),
		"no certificate":   pemOf(t, p256),
		"another's":        pemOf(t, p256, certificate(t, p384, later)),
		"P-384":            pemOf(t, p384, certificate(t, p384, later)),
		"1024 bits":        pemOf(t, small, certificate(t, small, later)),
		"encrypted":        encrypted,
		"two keys":         append(pemOf(t, p256, certificate(t, p256, later)), pemOf(t, p384)...),
		"malformed key":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("c4n4ry")}),
		"malformed leaf":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("c4n4ry")}),
		"only certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, p256, later)}),
	} {
		if _, err := auth.WithCertificate(content); err == nil || strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiredCertificateIsNamed(t *testing.T) {
	s := newServer(t)
	key := ecKey(t, elliptic.P256())
	client, err := auth.WithCertificate(pemOf(t, key, certificate(t, key, time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC))))
	if err != nil {
		t.Fatal(err)
	}
	_, err = application(t, s.authority(), client).TokenContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "2020-02-03") || s.requests() != 0 {
		t.Errorf("%v, %d requests", err, s.requests())
	}
}

// Secrets, assertions and certificates in files are read again at each request.
func TestProofsRotateInTheirFiles(t *testing.T) {
	write := func(path string, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys := []*ecdsa.PrivateKey{ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())}
	for name, test := range map[string]struct {
		open    func(path string) (auth.ClientAuth, error)
		content func(n int) []byte
		check   func(t *testing.T, n int, form url.Values)
	}{
		"secret": {
			func(path string) (auth.ClientAuth, error) { return auth.WithSecretFile(path), nil },
			func(n int) []byte { return fmt.Appendf(nil, " secret%d\r\n", n) },
			func(t *testing.T, n int, form url.Values) {
				if form.Get("client_secret") != fmt.Sprint("secret", n) {
					t.Error("wrong secret")
				}
			},
		},
		"assertion": {
			func(path string) (auth.ClientAuth, error) { return auth.WithAssertionFile(path), nil },
			func(n int) []byte { return fmt.Appendf(nil, "a.b.%d\n", n) },
			func(t *testing.T, n int, form url.Values) {
				if form.Get("client_assertion") != fmt.Sprint("a.b.", n) || form.Has("client_secret") {
					t.Error("wrong assertion")
				}
			},
		},
		"certificate": {
			auth.WithCertificateFile,
			func(n int) []byte { return pemOf(t, keys[n], certificate(t, keys[n], time.Now().Add(time.Hour))) },
			func(t *testing.T, n int, form url.Values) {
				readAssertion(t, form.Get("client_assertion"), keys[n].Public())
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			anyClient(s)
			path := filepath.Join(t.TempDir(), "proof")
			write(path, test.content(0))
			client, err := test.open(path)
			if err != nil {
				t.Fatal(err)
			}
			source := application(t, s.authority(), client)
			again(t, source)
			write(path, test.content(1))
			again(t, source)
			test.check(t, 0, s.form(0))
			test.check(t, 1, s.form(1))
			write(path, []byte("c4n4ry\nc4n4ry"))
			if _, err := source.TokenContext(t.Context()); err == nil || strings.Contains(err.Error(), "c4n4ry") || s.requests() != 2 {
				t.Errorf("%v, %d requests", err, s.requests())
			}
		})
	}
}

func TestProofFilesThatCannotBeRead(t *testing.T) {
	s := newServer(t)
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), os.DevNull, large} {
		_, err := application(t, s.authority(), auth.WithSecretFile(path)).TokenContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), path) || s.requests() != 0 {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := auth.WithCertificateFile(path); err == nil {
			t.Errorf("%s is a certificate", path)
		}
	}
}

func TestProofFunctions(t *testing.T) {
	s := newServer(t)
	down := errors.New("vault is down")
	for name, client := range map[string]auth.ClientAuth{
		"secret fails":    auth.WithSecretFunc(func(context.Context) (auth.Secret, error) { return auth.Secret{}, down }),
		"no secret":       auth.WithSecretFunc(func(context.Context) (auth.Secret, error) { return auth.Secret{}, nil }),
		"assertion fails": auth.WithAssertion(func(context.Context) (auth.Secret, error) { return auth.Secret{}, down }),
		"no assertion":    auth.WithAssertion(func(context.Context) (auth.Secret, error) { return auth.Secret{}, nil }),
	} {
		_, err := application(t, s.authority(), client).TokenContext(t.Context())
		if _, ok := errors.AsType[*auth.Error](err); !ok || s.requests() != 0 || strings.HasSuffix(name, "fails") && !errors.Is(err, down) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !auth.WithSecret(auth.Secret{}).IsZero() || auth.WithSecret(auth.NewSecret("x")).IsZero() {
		t.Error("an empty secret is a public client")
	}
}

// The client's secret travels where the authority wants it, and only there.
func TestSecretStyle(t *testing.T) {
	s := newServer(t)
	var header string
	authority := s.authority()
	authority.Style = 2 // HTTP Basic
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return http.DefaultTransport.RoundTrip(r)
	})
	anyClient(s)
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: authority, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret(clientSecret)), HTTPClient: &http.Client{Transport: base},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	again(t, source)
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("app:"+url.QueryEscape(clientSecret)))
	if header != want || s.form(0).Has("client_secret") {
		t.Error("the secret is not in the header alone")
	}
}
