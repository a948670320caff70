package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// ClientAuth is how an application proves to the authorization server that it
// is the one with the client id. The zero ClientAuth proves nothing: that is a
// public client (RFC 6749 section 2.1), such as a desktop program. It is safe
// for concurrent use.
type ClientAuth struct {
	prove func(ctx context.Context, clientID, audience string) (proof, error)
}

// proof is one of the two.
type proof struct {
	secret    string
	assertion string // a JWT, RFC 7523 section 2.2
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// IsZero reports whether this is a public client.
func (c ClientAuth) IsZero() bool { return c.prove == nil }

// WithSecret proves with a client secret (RFC 6749 section 2.3.1). An empty
// secret gives the zero ClientAuth.
func WithSecret(secret Secret) ClientAuth {
	if secret.IsZero() {
		return ClientAuth{}
	}
	return WithSecretFunc(func(context.Context) (Secret, error) { return secret, nil })
}

// WithSecretFunc proves with a client secret that is asked for at each token
// request, so that it can be rotated while the program runs.
func WithSecretFunc(secret func(ctx context.Context) (Secret, error)) ClientAuth {
	return ClientAuth{prove: func(ctx context.Context, _, _ string) (proof, error) {
		value, err := secret(ctx)
		switch {
		case err != nil:
			return proof{}, &Error{Description: "the client secret cannot be had", cause: err}
		case value.IsZero():
			return proof{}, &Error{Description: "the client secret is empty"}
		}
		return proof{secret: value.Expose()}, nil
	}}
}

// WithSecretFile proves with the client secret in a file, such as one that a
// container platform mounts. It is read at each token request; white space
// around the secret is dropped.
func WithSecretFile(path string) ClientAuth {
	return WithSecretFunc(func(context.Context) (Secret, error) { return readSecret(path) })
}

// WithAssertion proves with a token that another identity provider has issued
// for this application (workload identity federation: RFC 7523 section 2.2). It
// is asked for at each token request.
func WithAssertion(assertion func(ctx context.Context) (Secret, error)) ClientAuth {
	return ClientAuth{prove: func(ctx context.Context, _, _ string) (proof, error) {
		value, err := assertion(ctx)
		switch {
		case err != nil:
			return proof{}, &Error{Description: "the client assertion cannot be had", cause: err}
		case value.IsZero():
			return proof{}, &Error{Description: "the client assertion is empty"}
		}
		return proof{assertion: value.Expose()}, nil
	}}
}

// WithAssertionFile is [WithAssertion] with the token in a file, which is read
// at each token request because Kubernetes replaces it:
// AZURE_FEDERATED_TOKEN_FILE.
//
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation
func WithAssertionFile(path string) ClientAuth {
	return WithAssertion(func(context.Context) (Secret, error) { return readSecret(path) })
}

func readSecret(path string) (Secret, error) {
	content, err := readSmall(path)
	if err != nil {
		return Secret{}, err
	}
	content = bytes.TrimSpace(content)
	if bytes.ContainsAny(content, "\r\n\x00") {
		return Secret{}, &fs.PathError{Op: "read", Path: path, Err: errLines}
	}
	return NewSecret(string(content)), nil
}

const maxSecretFile = 64 << 10

var (
	errNotRegular = errors.New("not a regular file of at most 64 KiB")
	errLines      = errors.New("more than one line")
)

// readSmall reads a file that holds a secret: a regular one of sensible size,
// so that a wrong path cannot hang or fill the memory.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	file, err := os.Open(path) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err == nil && len(content) > maxSecretFile {
		err = &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	return content, err
}
