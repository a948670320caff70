package halopsa

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
	"golang.org/x/oauth2"
)

// Credentials are those of a HaloPSA API application of the kind "Client ID and
// Secret (Services)". It acts as the agent that it is bound to.
type Credentials struct {
	URL      string // of the instance, as in [Options]
	ClientID string
	// ClientAuth is needed; an API application has a secret.
	ClientAuth auth.ClientAuth
	// Scopes to ask for; without any, HaloPSA grants none. Empty: "all".
	Scopes []string
	// AuthURL and Tenant are found by [Discover] when they are empty. Tenant is
	// needed by hosted instances only.
	AuthURL, Tenant string
	// OnPremises lets names lead to private addresses, as in [Options].
	OnPremises bool
	// HTTPClient makes the requests for tokens. Nil: a client of our own.
	HTTPClient *http.Client
}

// Source signs in with the client-credentials grant. It asks the instance for
// its authorization server before the first token, not before. It is safe for
// concurrent use; close it when it is no longer needed.
type Source struct {
	credentials Credentials

	mu     sync.Mutex // held while the authorization server is looked up
	source *auth.Source
	closed bool
}

// NewSource checks that the credentials are complete. It makes no request.
func NewSource(c Credentials) (*Source, error) {
	if _, err := apiURL(c.URL); err != nil {
		return nil, err
	}
	if c.ClientID == "" || c.ClientAuth.IsZero() {
		return nil, errors.New("halopsa: the client id and the secret are needed")
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"all"}
	}
	if c.OnPremises && c.HTTPClient == nil {
		base := resilience.NewPrivateBase()
		base.DisableKeepAlives = true // a token an hour is not worth an idle connection
		c.HTTPClient = &http.Client{Transport: base}
	}
	return &Source{credentials: c}, nil
}

// TokenContext implements [auth.TokenSource].
func (s *Source) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	source, err := s.found(ctx)
	if err != nil {
		return nil, err
	}
	return source.TokenContext(ctx)
}

// Invalidate makes the source forget a token that the API refused.
func (s *Source) Invalidate(token *oauth2.Token) {
	s.mu.Lock()
	source := s.source
	s.mu.Unlock()
	if source != nil {
		source.Invalidate(token)
	}
}

// Close ends a renewal that is under way.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.source != nil {
		s.source.Close()
	}
}

// found returns the source of tokens, looking the authorization server up if
// that has not succeeded yet.
func (s *Source) found(ctx context.Context) (*auth.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, auth.ErrClosed
	}
	if s.source != nil {
		return s.source, nil
	}
	c := s.credentials
	if c.AuthURL == "" {
		instance, err := Discover(ctx, c.URL, c.HTTPClient)
		if err != nil {
			return nil, undiscovered(err)
		}
		c.AuthURL = instance.AuthURL
		if c.Tenant == "" {
			c.Tenant = instance.Tenant
		}
	}
	authority, err := auth.Halo(c.AuthURL, c.Tenant)
	if err != nil {
		return nil, &mcptools.Error{
			Code: mcptools.CodeUpstream, Message: "the address of HaloPSA's authorization server is of no use: it must be https", Err: err,
			Hint: "check the address of the authorization server (HALO_AUTH_URL)",
		}
	}
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: authority, ClientID: c.ClientID, ClientAuth: c.ClientAuth, Scopes: c.Scopes, HTTPClient: c.HTTPClient,
	})
	if err != nil {
		return nil, err
	}
	s.source = source
	return source, nil
}

// undiscovered says what to check where an instance does not tell its
// authorization server.
func undiscovered(err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || errors.Is(err, mcptools.CodeCancelled) || errors.Is(err, mcptools.CodeThrottled) {
		return err
	}
	told := *e
	switch {
	case errors.Is(err, resilience.ErrPrivateAddress):
		told.Hint = "if the instance is on premises, whoever runs this program must say so (HALO_ON_PREMISES)"
	case e.Retryable():
		told.Hint = "try again; if it lasts, check the address of the instance (HALO_URL)"
	default:
		told.Code, told.Message = mcptools.CodeUpstream, "the instance does not say where to sign in (/api/authinfo): "+e.Message
		told.Hint = "check that the address (HALO_URL) is that of a HaloPSA instance, or name its authorization server (HALO_AUTH_URL)"
	}
	told.Err = err
	return &told
}
