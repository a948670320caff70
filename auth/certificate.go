package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// assertionLife is short: an assertion is made for one request.
const assertionLife = 5 * time.Minute

// WithCertificate proves with a JWT that the key of a certificate has signed
// (private_key_jwt: RFC 7523 section 2.2), as Entra wants it: algorithm PS256
// for RSA keys or ES256 for P-256, and the certificate named by x5t#S256. The
// PEM holds the key, unencrypted (PKCS #8, PKCS #1 or SEC 1), and the
// certificate; others, such as its chain, are ignored.
//
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials
func WithCertificate(pem []byte) (ClientAuth, error) {
	signer, err := parseSigner(pem)
	if err != nil {
		return ClientAuth{}, err
	}
	if signer.certificate == nil {
		return ClientAuth{}, errors.New("auth: the PEM holds no certificate of its key")
	}
	return ClientAuth{prove: signer.prove}, nil
}

// WithCertificateFile is [WithCertificate] with the PEM in a file. It is read
// now, to find mistakes early, and again at each token request, so that the
// certificate can be rotated while the program runs.
func WithCertificateFile(path string) (ClientAuth, error) {
	load := func() (ClientAuth, error) {
		content, err := readSmall(path)
		if err != nil {
			return ClientAuth{}, fmt.Errorf("auth: certificate: %w", err)
		}
		return WithCertificate(content)
	}
	if _, err := load(); err != nil {
		return ClientAuth{}, err
	}
	return ClientAuth{prove: func(ctx context.Context, clientID, audience string) (proof, error) {
		current, err := load()
		if err != nil {
			return proof{}, &Error{Description: "the client certificate cannot be had", cause: err}
		}
		return current.prove(ctx, clientID, audience)
	}}, nil
}

// WithPrivateKey is [WithCertificate] for servers that know the bare key, under
// keyID (the kid of the JWT; may be empty).
func WithPrivateKey(pem []byte, keyID string) (ClientAuth, error) {
	signer, err := parseSigner(pem)
	if err != nil {
		return ClientAuth{}, err
	}
	signer.certificate, signer.keyID = nil, keyID
	return ClientAuth{prove: signer.prove}, nil
}

// assertionSigner makes client assertions.
type assertionSigner struct {
	key         crypto.Signer
	algorithm   string
	certificate *x509.Certificate // of the key; may be nil
	keyID       string
}

func (s *assertionSigner) prove(_ context.Context, clientID, audience string) (proof, error) {
	now := time.Now()
	if s.certificate != nil && now.After(s.certificate.NotAfter) {
		return proof{}, &Error{Description: "the client certificate expired on " + s.certificate.NotAfter.UTC().Format(time.DateOnly)}
	}
	header := map[string]string{"typ": "JWT", "alg": s.algorithm}
	if s.certificate != nil {
		sum := sha256.Sum256(s.certificate.Raw)
		header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if s.keyID != "" {
		header["kid"] = s.keyID
	}
	assertion, err := s.sign(header, map[string]any{
		"iss": clientID, "sub": clientID, "aud": audience, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return proof{}, &Error{Description: "the client assertion cannot be signed"}
	}
	return proof{assertion: assertion}, nil
}

// sign makes a JWS in compact form (RFC 7515 section 7.1).
func (s *assertionSigner) sign(header, claims any) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	switch key := s.key.(type) {
	case *rsa.PrivateKey: // RFC 7518 section 3.5
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case *ecdsa.PrivateKey: // RFC 7518 section 3.4: two numbers of fixed length
		r, n, signErr := ecdsa.Sign(rand.Reader, key, sum[:])
		if err = signErr; err == nil {
			signature = make([]byte, 64)
			r.FillBytes(signature[:32])
			n.FillBytes(signature[32:])
		}
	default:
		err = errKeyType
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

var errKeyType = errors.New("auth: the private key must be RSA of at least 2048 bits or ECDSA P-256")

// parseSigner finds the private key and its certificate among PEM blocks.
func parseSigner(content []byte) (*assertionSigner, error) {
	s := &assertionSigner{}
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errors.New("auth: the PEM holds a malformed certificate")
			}
			certificates = append(certificates, c)
			continue
		}
		key, err := parseKey(block)
		if err != nil {
			return nil, err
		}
		if key == nil {
			continue
		}
		if s.key != nil {
			return nil, errors.New("auth: the PEM holds more than one private key")
		}
		s.key = key
	}
	if s.key == nil {
		return nil, errors.New("auth: the PEM holds no private key")
	}
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		s.algorithm = "PS256"
		if key.N.BitLen() < 2048 {
			return nil, errKeyType
		}
	case *ecdsa.PrivateKey:
		s.algorithm = "ES256"
		if key.Curve != elliptic.P256() {
			return nil, errKeyType
		}
	default:
		return nil, errKeyType
	}
	for _, c := range certificates {
		if public, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(s.key.Public()) {
			s.certificate = c
			break
		}
	}
	return s, nil
}

// parseKey returns nil for blocks that are no private key. Errors never quote
// the block.
func parseKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errEncrypted
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errEncrypted
		}
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errEncrypted
	default:
		return nil, nil
	}
	if err != nil {
		return nil, errors.New("auth: the PEM holds a malformed private key")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errKeyType
	}
	return signer, nil
}

var errEncrypted = errors.New("auth: the private key is encrypted; decrypt it first (openssl pkey)")
