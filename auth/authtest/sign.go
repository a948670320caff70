package authtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// signer signs the server's tokens with ES256 (RFC 7518 section 3.4).
type signer struct{ key *ecdsa.PrivateKey }

const keyID = "authtest-1"

func newSigner() *signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // no randomness: nothing useful can follow
	}
	return &signer{key}
}

func (s *signer) sign(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // claims that a test made up cannot be encoded
	}
	signed := encode([]byte(`{"typ":"JWT","alg":"ES256","kid":"`+keyID+`"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + encode(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

// jwk is the public key as RFC 7517 writes it.
func (s *signer) jwk() map[string]any {
	point, err := s.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keyID, "x": encode(point[1:33]), "y": encode(point[33:]),
	}
}

// authenticate checks a client that proves itself with a signature (RFC 7523
// section 3); it leaves others to their secrets.
func (s *Server) authenticate(r *http.Request) (string, error) {
	assertion := r.PostForm.Get("client_assertion")
	if assertion == "" {
		return "", nil
	}
	refuse := func(why string) (string, error) {
		return "", &fakehttp.OAuthError{Code: "invalid_client", Description: "the client assertion " + why}
	}
	if r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return refuse("has another type")
	}
	var header struct {
		Algorithm  string `json:"alg"`
		Thumbprint string `json:"x5t#S256"`
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience any    `json:"aud"`
		ID       string `json:"jti"`
		Expires  int64  `json:"exp"`
		From     int64  `json:"nbf"`
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || !decodeJSON(parts[0], &header) || !decodeJSON(parts[1], &claims) {
		return refuse("is no JWT")
	}
	key, thumbprint := s.options.Keys[claims.Subject], ""
	if certificate := s.options.Certificates[claims.Subject]; certificate != nil {
		key, thumbprint = certificate.PublicKey, Thumbprint(certificate)
	}
	now := s.options.Now()
	switch {
	case key == nil || claims.Issuer != claims.Subject || claims.Subject != r.PostForm.Get("client_id"):
		return refuse("is of another client")
	case thumbprint != "" && header.Thumbprint != thumbprint:
		return refuse("does not name the certificate")
	case !verify(key, header.Algorithm, parts):
		return refuse("has a wrong signature")
	case !s.audience(claims.Audience):
		return refuse("is for another server")
	case now.Unix() >= claims.Expires || claims.Expires > now.Add(10*time.Minute+time.Minute).Unix() || claims.From > now.Unix()+60:
		return refuse("is not valid now, or for too long")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if claims.ID == "" || s.seen[claims.ID] {
		return refuse("was used before")
	}
	s.seen[claims.ID] = true
	return claims.Subject, nil
}

func (s *Server) audience(claim any) bool {
	accepted := []string{s.TokenURL(), s.Issuer()}
	switch claim := claim.(type) {
	case string:
		return slices.Contains(accepted, claim)
	case []any:
		return slices.ContainsFunc(claim, func(one any) bool { text, ok := one.(string); return ok && slices.Contains(accepted, text) })
	}
	return false
}

// Thumbprint is the x5t#S256 of a certificate (RFC 7515 section 4.1.8).
func Thumbprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return encode(sum[:])
}

func verify(key crypto.PublicKey, algorithm string, parts []string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch algorithm {
		case "PS256":
			return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		case "RS256":
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
		}
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && len(signature) == 64 &&
			ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

func decodeJSON(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func text(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return encode(raw)
}
