package halopsa

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/cache"
	"github.com/msptoolbelt/toolbelt/internal/origin"
	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// Options tune a [Client]. URL is needed.
type Options struct {
	// URL is the address of the instance, with or without /api:
	// "https://psa.example" or "https://intranet.example/halo/api".
	URL string
	// TimeZone is the IANA name of the zone for times without an offset, and
	// of the times in results. Empty: UTC.
	TimeZone string
	// OnPremises lets the name of the instance lead to an address of a private
	// network, which is refused otherwise. With a Base of your own in Resilience,
	// make that a [resilience.NewPrivateBase], too.
	OnPremises bool
	// Resilience tunes the transport; its Hosts are set by the client. Hosted
	// HaloPSA refuses more than 300 requests in 5 minutes, whoever makes them, so
	// Limits.Pacing is 60 at once and then 0.8 a second unless it is set; a
	// negative Rate is no pacing. Instances on premises, and on loopback, have
	// no such limit.
	Resilience resilience.Options
	// Identity names whoever the context's call is for, where one client serves
	// several agents. Cursors and caches of one identity are no use to another.
	// Nil: told from the access token, unless that comes from a [Source], which
	// acts as one agent.
	Identity func(context.Context) string
	// CursorKey signs cursors; replicas that share clients share it. At least
	// 32 bytes; empty is a random key.
	CursorKey []byte
	// LookupTTL is how long reference tables such as statuses are remembered.
	// Zero: 10 minutes.
	LookupTTL time.Duration
	// NoteOutcome is the outcome of notes and time entries that name none.
	// Empty: the first that the ticket allows, private notes preferred.
	NoteOutcome string
}

// Client calls one HaloPSA instance. It is safe for concurrent use.
type Client struct {
	service *rest.Service
	source  auth.TokenSource
	options Options
	codec   *paging.Codec
	zone    *time.Location
	tables  cache.Cache[[]Entry] // reference tables, by identity and kind
	agents  cache.Cache[agent]   // the signed-in agent, by identity

	searchable cache.Cache[bool]       // whether /Client can be searched, by identity
	types      cache.Cache[ticketType] // by identity and id
	workflows  cache.Cache[workflow]
	outcomes   cache.Cache[[]outcome] // by identity, type, workflow and step
}

// New returns a client that signs in with source.
func New(source auth.TokenSource, options Options) (*Client, error) {
	if source == nil {
		return nil, errors.New("halopsa: a token source is needed")
	}
	base, err := apiURL(options.URL)
	if err != nil {
		return nil, err
	}
	c := &Client{source: source, options: options}
	c.tables.TTL = options.LookupTTL
	if c.tables.TTL <= 0 {
		c.tables.TTL = 10 * time.Minute
	}
	c.searchable.TTL, c.agents.TTL = c.tables.TTL, c.tables.TTL
	c.types.TTL, c.workflows.TTL, c.outcomes.TTL = c.tables.TTL, c.tables.TTL, c.tables.TTL
	if c.zone, err = when.Zone(options.TimeZone); err != nil {
		return nil, fmt.Errorf("halopsa: %w", err)
	}
	if c.codec, err = paging.NewCodec(options.CursorKey); err != nil {
		return nil, fmt.Errorf("halopsa: %w", err)
	}
	if options.OnPremises && options.Resilience.Base == nil {
		options.Resilience.Base = resilience.NewPrivateBase()
	}
	options.Resilience.Base = newPatient(options.Resilience)
	if pacing := &options.Resilience.Limits.Pacing; pacing.Rate == 0 && !options.OnPremises && !origin.Loopback(base.Hostname()) {
		*pacing = hostedPacing
	}
	authorized, err := rest.Stack(base, source, options.Resilience)
	if err != nil {
		return nil, fmt.Errorf("halopsa: %w", err)
	}
	c.service = &rest.Service{Name: "HaloPSA", Base: base, Client: authorized, Explain: c.explain, Look: lookFor,
		Header: http.Header{"Accept-Language": {"en-US"}}}
	return c, nil
}

// Snapshot returns what the client knows of the instance's health: its circuit
// breaker, waits and pace. It asks nobody.
func (c *Client) Snapshot() resilience.Snapshot { return rest.Snapshot(c.service.Client) }

// hostedPacing keeps to the limit that hosted HaloPSA names when it refuses:
// "300 Requests per rolling 5 minute window".
var hostedPacing = resilience.Pacing{Rate: 0.8, Burst: 60}

// apiURL returns the root of the API of an instance.
func apiURL(address string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(strings.TrimSpace(address), "/"))
	if err != nil || base.Host == "" || base.RawQuery != "" || base.User != nil {
		return nil, errors.New("halopsa: the URL must be that of the instance, such as https://psa.example")
	}
	if !strings.HasSuffix(base.Path, "/api") {
		base.Path += "/api"
	}
	return base, nil
}

// scope is what a cursor of a tool is bound to.
func (c *Client) scope(ctx context.Context, tool string, arguments any) (string, error) {
	return paging.Scope(tool, c.service.Base.String()+" "+c.identity(ctx, rest.Owner), arguments)
}

// holder is what caches are bound to.
func (c *Client) holder(ctx context.Context) string { return c.identity(ctx, rest.Holder) }

func (c *Client) identity(ctx context.Context, told func(context.Context, auth.TokenSource) (string, error)) string {
	if c.options.Identity != nil {
		return c.options.Identity(ctx)
	}
	if _, one := c.source.(*Source); one {
		return ""
	}
	identity, err := told(ctx, c.source)
	if err != nil {
		return rand.Text() // nobody's; the request that follows has no token either
	}
	return identity
}
