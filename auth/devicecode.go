package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// DeviceCodeConfig describes the sign-in of a person on another device (RFC
// 8628), for programs without a browser.
type DeviceCodeConfig struct {
	Authority Authority
	ClientID  string
	// ClientAuth is for confidential clients; most have none.
	ClientAuth ClientAuth
	// Scopes wanted; those of the authority (offline_access) are added.
	Scopes []string
	// Resource is the API that the tokens are for (RFC 8707), sent to
	// authorities that accept it.
	Resource string
	// Prompt shows the user where to go and what to enter, and returns at once.
	Prompt func(ctx context.Context, prompt DevicePrompt) error
	// HTTPClient makes the requests; only its Transport and Timeout are used,
	// and redirects are never followed. Nil is a client of our own.
	HTTPClient *http.Client
	Source     SourceOptions
}

// DevicePrompt is what the user must be shown.
type DevicePrompt struct {
	// URL is the page to open on any device, UserCode what to enter there.
	URL, UserCode string
	// CompleteURL contains the code, for a link or a QR code; may be empty.
	CompleteURL string
	// Expires is when the code ends.
	Expires time.Time
}

// DeviceCode signs a person in on another device. It is safe for concurrent use.
type DeviceCode struct {
	config   DeviceCodeConfig
	endpoint *tokenEndpoint
	source   *Source
}

// NewDeviceCode checks config. Nobody is asked to sign in yet.
func NewDeviceCode(config DeviceCodeConfig) (*DeviceCode, error) {
	if config.ClientID == "" || config.Authority.DeviceURL == "" || config.Prompt == nil {
		return nil, errors.New("auth: a device code needs a client id, a device authorization endpoint and Prompt")
	}
	if err := config.Authority.check(); err != nil {
		return nil, err
	}
	d := &DeviceCode{config: config, endpoint: &tokenEndpoint{
		authority: config.Authority, clientID: config.ClientID, auth: config.ClientAuth,
		resource: config.Resource, client: tokenClient(config.HTTPClient),
	}}
	d.source = NewSource(d.endpoint.refresh, config.Source)
	return d, nil
}

// Source returns the tokens of the person who signed in last, as [PKCE.Source].
func (d *DeviceCode) Source() *Source { return d.source }

const (
	defaultInterval = 5 * time.Second // RFC 8628 section 3.2
	maxInterval     = time.Minute
	maxDeviceLife   = 30 * time.Minute
	slowDown        = 5 * time.Second // RFC 8628 section 3.5
)

// Login asks for a code, shows it with Prompt, and waits until the user has
// signed in, the code has ended or ctx has. The token is returned and becomes
// that of [DeviceCode.Source].
func (d *DeviceCode) Login(ctx context.Context) (*oauth2.Token, error) {
	asked, err := d.ask(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, asked.prompt.Expires)
	defer cancel()
	if err := d.config.Prompt(ctx, asked.prompt); err != nil {
		return nil, err
	}
	token, err := d.poll(ctx, asked)
	if err != nil {
		return nil, err
	}
	if err := d.source.set(ctx, token); err != nil {
		return nil, err
	}
	return token, nil
}

// poll asks for the token at the pace that the server wants.
func (d *DeviceCode) poll(ctx context.Context, asked *deviceAnswer) (*oauth2.Token, error) {
	for {
		select {
		case <-time.After(asked.interval):
		case <-ctx.Done():
			return nil, expired(ctx, asked.prompt.Expires)
		}
		token, err := d.endpoint.token(ctx, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {asked.code},
		}, asked.code)
		if err == nil {
			return token, nil
		}
		if ctx.Err() != nil {
			return nil, expired(ctx, asked.prompt.Expires)
		}
		failure, ok := errors.AsType[*Error](err)
		switch {
		case !ok:
			return nil, err
		case failure.Code == "authorization_pending":
		case failure.Code == "slow_down":
			asked.interval += slowDown
		case failure.Code == "access_denied" || failure.Code == "expired_token" || failure.Code == "authorization_declined":
			failure.NeedsUser = true // the second is Entra's word for the first
			return nil, failure
		case failure.Status == 0 && failure.cause != nil || failure.Status >= 500 || failure.Status == http.StatusTooManyRequests:
			asked.interval = min(2*asked.interval, maxInterval) // RFC 8628 section 3.5
		default:
			return nil, failure
		}
		asked.interval = max(asked.interval, failure.RetryAfter)
	}
}

// expired tells the end of the code from that of the caller.
func expired(ctx context.Context, end time.Time) error {
	if !time.Now().Before(end) {
		return &Error{Code: "expired_token", Description: "nobody entered the code in time", NeedsUser: true}
	}
	return &Error{Description: "waiting for the sign-in ended", cause: context.Cause(ctx)}
}

// deviceAnswer is an answer of RFC 8628 section 3.2.
type deviceAnswer struct {
	code     string
	interval time.Duration
	prompt   DevicePrompt
}

// ask makes the device authorization request. X/oauth2's own takes no context
// and cannot prove a confidential client.
func (d *DeviceCode) ask(ctx context.Context) (*deviceAnswer, error) {
	form := url.Values{}
	if scopes := d.config.Authority.signInScopes(d.config.Scopes); len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	body, err := d.endpoint.post(withClaims(ctx, d.source.challenged()), d.config.Authority.DeviceURL, form)
	if err != nil {
		return nil, err
	}
	return parseDevice(body, time.Now())
}

func parseDevice(body []byte, now time.Time) (*deviceAnswer, error) {
	var raw struct {
		DeviceCode      string       `json:"device_code"`
		UserCode        string       `json:"user_code"`
		URL             string       `json:"verification_uri"`
		MisspelledURL   string       `json:"verification_url"` // of some servers
		CompleteURL     string       `json:"verification_uri_complete"`
		ExpiresIn       secondsField `json:"expires_in"`
		IntervalSeconds secondsField `json:"interval"`
	}
	bad := &Error{Description: "the device authorization endpoint's answer could not be used"}
	if json.Unmarshal(body, &raw) != nil || raw.DeviceCode == "" {
		return nil, bad
	}
	if raw.URL == "" {
		raw.URL = raw.MisspelledURL
	}
	// A person will be told to go there: only to a real page, and with a code
	// that can be typed.
	if checkEndpoint(raw.URL) != nil || !printable(raw.UserCode, 64) || !printable(raw.URL, 2048) {
		return nil, bad
	}
	if checkEndpoint(raw.CompleteURL) != nil || !printable(raw.CompleteURL, 2048) {
		raw.CompleteURL = ""
	}
	life := min(time.Duration(raw.ExpiresIn)*time.Second, maxDeviceLife)
	if life <= 0 {
		life = maxDeviceLife
	}
	interval := min(time.Duration(raw.IntervalSeconds)*time.Second, maxInterval)
	if interval <= 0 {
		interval = defaultInterval
	}
	return &deviceAnswer{code: raw.DeviceCode, interval: interval, prompt: DevicePrompt{
		URL: raw.URL, UserCode: raw.UserCode, CompleteURL: raw.CompleteURL, Expires: now.Add(life),
	}}, nil
}

// printable accepts visible ASCII.
func printable(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
