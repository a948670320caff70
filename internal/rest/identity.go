package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// Owner names whoever a source's token stands for, as cursors are bound to it:
// what the token says of itself, or a digest of a token that says nothing. A
// forged token gets as far as a cursor, not through the service with it.
func Owner(ctx context.Context, source auth.TokenSource) (string, error) {
	token, err := source.TokenContext(ctx)
	if err != nil {
		return "", err
	}
	claims, _ := auth.DecodeClaims(token.AccessToken)
	return OwnerOf(token.AccessToken, claims), nil
}

// OwnerOf is [Owner] for a token whose claims are known.
func OwnerOf(token string, claims auth.Claims) string {
	switch {
	case claims.ObjectID != "":
		return claims.TenantID + "/" + claims.ObjectID
	case claims.Subject != "":
		return claims.Issuer + "#" + claims.Subject
	}
	return digest(token)
}

// Holder names a token itself, as caches are bound to it: what a token says of
// itself may be forged, and a cache would answer before the service looks.
func Holder(ctx context.Context, source auth.TokenSource) (string, error) {
	token, err := source.TokenContext(ctx)
	if err != nil {
		return "", err
	}
	return digest(token.AccessToken), nil
}

// Renews reports whether the program itself fetches the tokens of a source, or of
// the one that it chooses for ctx, as [auth.Source] does: what such a token says
// of itself is true. One that a caller brought along may be forged.
func Renews(ctx context.Context, source auth.TokenSource) bool {
	for {
		chooser, ok := source.(interface {
			SourceFor(ctx context.Context) (auth.TokenSource, error)
		})
		if !ok {
			_, renews := source.(interface{ Invalidate(token *oauth2.Token) })
			return renews
		}
		var err error
		if source, err = chooser.SourceFor(ctx); err != nil {
			return false
		}
	}
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:16])
}
