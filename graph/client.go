package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/cache"
	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// Options tune a [Client]. The zero value serves the global cloud.
type Options struct {
	Cloud Cloud
	// BaseURL replaces the cloud's address, version included, such as
	// "http://127.0.0.1:8080/v1.0".
	BaseURL string
	// TimeZone is the IANA name of the zone for times without an offset.
	// Empty: the zone of each mailbox.
	TimeZone string
	// Resilience tunes the transport; its Hosts are set by the client.
	Resilience resilience.Options
	// Identity names whoever the context's call is for, where one client serves
	// several users. Cursors and caches of one identity are no use to another.
	// Nil: told from the access token. Then what is known of the limits of a
	// user's own mailbox outlives a token only if the source renews its tokens
	// itself, as [auth.Source] does.
	Identity func(context.Context) string
	// CursorKey signs cursors; replicas that share clients share it. At least
	// 32 bytes; empty is a random key.
	CursorKey []byte
}

// Client calls Microsoft Graph. It is safe for concurrent use.
type Client struct {
	service  *rest.Service
	uploads  *http.Client // without a token: an upload URL carries its own
	source   auth.TokenSource
	options  Options
	codec    *paging.Codec
	zones    cache.Cache[*time.Location]
	resolved cache.Cache[string] // names of users to ids
	folders  cache.Cache[[]mailFolder]
	latest   atomic.Pointer[decoded]
}

// decoded is a token and what it says: a call asks several times.
type decoded struct {
	token  string
	claims auth.Claims
}

// New returns a client that signs in with source.
func New(source auth.TokenSource, options Options) (*Client, error) {
	if source == nil {
		return nil, errors.New("graph: a token source is needed")
	}
	if options.Cloud.URL == "" {
		options.Cloud = Global()
	}
	address := options.BaseURL
	if address == "" {
		address = options.Cloud.URL + "/v1.0"
	}
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || base.Host == "" {
		return nil, errors.New("graph: the base URL is not a URL")
	}
	c := &Client{source: source, options: options}
	c.zones.TTL, c.resolved.TTL, c.folders.TTL = time.Hour, 10*time.Minute, 10*time.Minute
	if c.codec, err = paging.NewCodec(options.CursorKey); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	tuned := options.Resilience
	if tuned.Keys == nil {
		tuned.Keys = c.keys
	}
	authorized, err := rest.Stack(base, source, tuned)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if c.uploads, err = rest.Stack(base, nil, options.Resilience, options.Cloud.Uploads...); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	c.service = &rest.Service{
		Name: "Microsoft Graph", Base: base, Client: authorized, Explain: c.explain, Look: lookFor,
		// Ids that survive a move; and the default of "*" that some clients send
		// makes parts of Graph answer 400.
		Header: http.Header{"Prefer": {`IdType="ImmutableId"`}, "Accept-Language": {"en-US"}},
	}
	return c, nil
}

// Snapshot returns what the client knows of Graph's health: circuit breakers,
// waits and paces. It asks nobody.
func (c *Client) Snapshot() resilience.Snapshot { return rest.Snapshot(c.service.Client, c.uploads) }

// account is what the access token tells about whoever is signed in. An opaque
// token tells nothing and counts as a user's.
func (c *Client) account(ctx context.Context) (auth.Claims, error) {
	known, err := c.decode(ctx, c.source)
	if err != nil {
		return auth.Claims{}, rest.SignInError(c.service.Name, err)
	}
	return known.claims, nil
}

func (c *Client) decode(ctx context.Context, source auth.TokenSource) (*decoded, error) {
	token, err := source.TokenContext(ctx)
	if err != nil {
		return nil, err
	}
	if known := c.latest.Load(); known != nil && known.token == token.AccessToken {
		return known, nil
	}
	claims, _ := auth.DecodeClaims(token.AccessToken)
	known := &decoded{token.AccessToken, claims}
	c.latest.Store(known)
	return known, nil
}

// owner is what cursors are bound to.
func (c *Client) owner(ctx context.Context) (string, error) {
	return c.identity(ctx, func(ctx context.Context, source auth.TokenSource) (string, error) {
		known, err := c.decode(ctx, source)
		if err != nil {
			return "", err
		}
		return rest.OwnerOf(known.token, known.claims), nil
	})
}

// holder is what caches are bound to.
func (c *Client) holder(ctx context.Context) (string, error) { return c.identity(ctx, rest.Holder) }

// mailbox names whose mailbox /me is, for gates, paces and places. The limits of
// Graph outlive a token, so they are bound to whom it is for, if the program has
// fetched it itself. One that a caller brought along may be forged: Graph refuses
// it, but its requests would take the places of whom it names. So it stands for
// itself alone, unless Options.Identity tells more.
func (c *Client) mailbox(ctx context.Context) (string, error) {
	return c.identity(ctx, func(ctx context.Context, source auth.TokenSource) (string, error) {
		known, err := c.decode(ctx, source)
		if err != nil {
			return "", err
		}
		claims := known.claims
		if !rest.Renews(ctx, source) {
			claims = auth.Claims{}
		}
		return rest.OwnerOf(known.token, claims), nil
	})
}

func (c *Client) identity(ctx context.Context, told func(context.Context, auth.TokenSource) (string, error)) (string, error) {
	if c.options.Identity != nil {
		return c.options.Identity(ctx), nil
	}
	identity, err := told(ctx, c.source)
	if err != nil {
		return "", rest.SignInError(c.service.Name, err)
	}
	return identity, nil
}

// path returns the path of something of a user: template below /me, or below
// /users/{user} when a user is named. Each {} of the template takes an id.
func (c *Client) path(ctx context.Context, user, template string, ids ...string) (string, error) {
	for _, id := range ids {
		if err := checkID(id); err != nil {
			return "", err
		}
	}
	if user == "" || strings.EqualFold(user, "me") {
		claims, err := c.account(ctx)
		if err != nil {
			return "", err
		}
		if claims.AppOnly {
			return "", mcptools.Errorf(mcptools.CodeInvalidArguments, "the application is signed in, not a user: whose mailbox?").
				WithHint("name it by its address in the argument mailbox or user")
		}
		return rest.Path("/me"+template, ids...)
	}
	id, err := c.userID(ctx, user)
	if err != nil {
		return "", err
	}
	return rest.Path("/users/{}"+template, append([]string{id}, ids...)...)
}

// checkID refuses what Graph would read as a function or a system segment of
// the path instead of an id.
func checkID(id string) error {
	lower := strings.ToLower(id)
	if strings.HasPrefix(lower, "$") || strings.HasPrefix(lower, "microsoft.graph.") || lower == "delta" || strings.ContainsAny(id, "()") {
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "this is no id").
			WithHint("use an id exactly as another call returned it")
	}
	return nil
}
