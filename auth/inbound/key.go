package inbound

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
)

// The algorithms of RFC 7518 section 3.1 and RFC 8037 that are asymmetric, and
// that somebody uses for access tokens.
const (
	RS256 = "RS256" // RSA, PKCS #1 v1.5; what Entra signs with
	PS256 = "PS256" // RSA, PSS
	ES256 = "ES256" // ECDSA on P-256
	EdDSA = "EdDSA" // Ed25519
)

const (
	maxKeys    = 64
	minRSABits = 2048
	maxRSABits = 8192 // verification takes time that a hostile key could make long
)

// key is a public key, for one purpose.
type key struct {
	id        string
	algorithm string // the only one to use it with; empty: any that fits
	issuer    string // Entra: the issuer that signs with it, perhaps a template
	public    crypto.PublicKey
}

// fits reports whether the key was made for algorithm. It is the key that
// decides, never the token: so an RSA key can never serve as an HMAC secret.
func (k key) fits(algorithm string) bool {
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch k.public.(type) {
	case *rsa.PublicKey:
		return algorithm == RS256 || algorithm == PS256
	case *ecdsa.PublicKey:
		return algorithm == ES256
	case ed25519.PublicKey:
		return algorithm == EdDSA
	}
	return false
}

// signs reports whether the key may sign for the issuer of a tenant.
//
// https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signing-key-issuer
func (k key) signs(issuer, tenant string) bool {
	return k.issuer == "" || strings.ReplaceAll(k.issuer, tenantTemplate, tenant) == issuer
}

func (k key) verify(algorithm, signed string, signature []byte) bool {
	sum := sha256.Sum256([]byte(signed))
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if algorithm == PS256 {
			// RFC 7518 section 3.5: the salt is as long as the hash.
			return rsa.VerifyPSS(public, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return algorithm == RS256 && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		if algorithm != ES256 || len(signature) != 64 { // RFC 7518 section 3.4: r and s, 32 bytes each
			return false
		}
		return ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case ed25519.PublicKey:
		return algorithm == EdDSA && ed25519.Verify(public, []byte(signed), signature)
	}
	return false
}

var errKeys = errors.New("the key set cannot be used")

// parseKeys reads a JWK set (RFC 7517 section 5). Keys that are for something
// else, or of a kind not known here, are passed over, as section 5 wants.
func parseKeys(data []byte) (map[string][]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(data, &set) != nil || len(set.Keys) > maxKeys {
		return nil, errKeys
	}
	keys := map[string][]key{}
	for _, raw := range set.Keys {
		if k, ok := parseKey(raw); ok {
			keys[k.id] = append(keys[k.id], k)
		}
	}
	if len(keys) == 0 {
		return nil, errKeys
	}
	return keys, nil
}

type jwk struct {
	Kind       string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	ID         string   `json:"kid"`
	Issuer     string   `json:"issuer"`
	Curve      string   `json:"crv"`
	N          string   `json:"n"`
	E          string   `json:"e"`
	X          string   `json:"x"`
	Y          string   `json:"y"`
}

func parseKey(raw json.RawMessage) (key, bool) {
	var j jwk
	if json.Unmarshal(raw, &j) != nil || j.ID == "" || len(j.ID) > maxText {
		return key{}, false
	}
	if j.Use != "" && j.Use != "sig" || j.Operations != nil && !slices.Contains(j.Operations, "verify") {
		return key{}, false
	}
	k := key{id: j.ID, algorithm: j.Algorithm, issuer: j.Issuer, public: j.public()}
	return k, k.public != nil
}

// public returns the key, or nil if there is none that is safe.
func (j jwk) public() crypto.PublicKey {
	switch j.Kind + " " + j.Curve {
	case "RSA ":
		return j.rsa()
	case "EC P-256":
		x, y := number(j.X), number(j.Y)
		if len(x) != 32 || len(y) != 32 {
			return nil
		}
		// It checks that the point is on the curve.
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if err != nil {
			return nil
		}
		return public
	case "OKP Ed25519":
		if x := number(j.X); len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	}
	return nil
}

func (j jwk) rsa() crypto.PublicKey {
	n, e := new(big.Int).SetBytes(number(j.N)), new(big.Int).SetBytes(number(j.E))
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 {
		return nil
	}
	if e.BitLen() > 31 || e.Int64() < 3 || e.Bit(0) == 0 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

// number reads the base64url of a JWK; some issuers pad it.
func number(text string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil
	}
	return data
}
