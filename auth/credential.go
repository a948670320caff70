package auth

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/oauth2"
)

// FromCredential makes a [Source] of a credential of another library, such as
// azidentity, whose GetToken fits in one line. Claims is what an API has
// demanded of the token (see [ClaimsFrom]), usually empty.
//
//	source := auth.FromCredential(func(ctx context.Context, claims string) (string, time.Time, error) {
//		t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes, Claims: claims, EnableCAE: true})
//		return t.Token, t.ExpiresOn, err
//	}, auth.SourceOptions{})
//
// The text of the library's errors, which may quote answers of the token
// endpoint, is not repeated; [errors.As] finds them.
func FromCredential(get func(ctx context.Context, claims string) (token string, expires time.Time, err error), options SourceOptions) *Source {
	return NewSource(func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
		token, expires, err := get(ctx, ClaimsFrom(ctx))
		if err != nil {
			return nil, &Error{Description: "the credential failed", cause: silent{err}}
		}
		return &oauth2.Token{AccessToken: token, TokenType: "Bearer", Expiry: expires}, nil
	}, options)
}

// silent is an error that can be found but does not say what it says.
type silent struct{ error }

func (s silent) Error() string { return fmt.Sprintf("%T", s.error) }
func (s silent) Unwrap() error { return s.error }
