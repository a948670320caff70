package auth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// ManagedIdentityConfig describes an application that runs in Azure and signs
// in by where it runs, without a secret.
type ManagedIdentityConfig struct {
	// Scope is the API that the token is for, such as
	// "https://graph.microsoft.com/.default".
	Scope string
	// ClientID chooses a user-assigned identity; empty is the one that the
	// system assigned.
	ClientID string
	// Env reads the environment that App Service, Functions and Container Apps
	// give (IDENTITY_ENDPOINT, IDENTITY_HEADER). Nil is [os.Getenv].
	Env func(name string) string
	// MetadataURL is the address of the instance metadata service of virtual
	// machines. Empty: "http://169.254.169.254", which is the same everywhere.
	MetadataURL string
	Source      SourceOptions
}

const (
	metadataURL = "http://169.254.169.254"
	// connectTimeout is short: the services are next door, and where they are
	// not, nobody should wait for them.
	connectTimeout  = 2 * time.Second
	identityTimeout = 10 * time.Second // of one attempt
	identityTries   = 6                // one, and the five retries that the service asks for
)

// NewManagedIdentity returns a [Source] for the identity of this virtual
// machine, App Service, Function or Container App. It fetches nothing yet.
//
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
// https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
func NewManagedIdentity(config ManagedIdentityConfig) (*Source, error) {
	if config.Scope == "" {
		return nil, errors.New("auth: a managed identity needs the scope of an API")
	}
	env := config.Env
	if env == nil {
		env = os.Getenv
	}
	m, err := findIdentity(env, config)
	if err != nil {
		return nil, err
	}
	if config.Source.FetchTimeout <= 0 {
		config.Source.FetchTimeout = 80 * time.Second // the metadata service may be 70 seconds in an update
	}
	return NewSource(m.fetch, config.Source), nil
}

// identityService is where tokens are asked for.
type identityService struct {
	url           *url.URL
	header, value string
	client        *http.Client
}

func findIdentity(env func(string) string, config ManagedIdentityConfig) (*identityService, error) {
	endpoint, header := env("IDENTITY_ENDPOINT"), env("IDENTITY_HEADER")
	query := url.Values{"resource": {strings.TrimSuffix(config.Scope, "/.default")}}
	if config.ClientID != "" {
		query.Set("client_id", config.ClientID)
	}
	m := &identityService{header: "Metadata", value: "true", client: identityClient()}
	address := config.MetadataURL
	switch {
	case endpoint != "" && header != "" && env("IDENTITY_SERVER_THUMBPRINT") != "":
		return nil, errors.New("auth: managed identities of Service Fabric are not supported")
	case endpoint != "" && header != "":
		address, m.header, m.value = endpoint, "X-IDENTITY-HEADER", header
		query.Set("api-version", "2019-08-01")
	case endpoint != "":
		return nil, errors.New("auth: managed identities of Azure Arc are not supported")
	default:
		if address == "" {
			address = metadataURL
		}
		address = strings.TrimRight(address, "/") + "/metadata/identity/oauth2/token"
		query.Set("api-version", "2018-02-01")
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("auth: the address of the managed identity service is malformed")
	}
	// Both services are on this machine or its link: anywhere else, plain http
	// would show the token, and the header, to others.
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" &&
		(ip == nil || !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsPrivate()) {
		return nil, errors.New("auth: the managed identity service must be on a local address")
	}
	u.RawQuery = query.Encode()
	m.url = u
	return m, nil
}

// identityClient uses no proxy: the services answer this machine only.
func identityClient() *http.Client {
	return &http.Client{
		Timeout: identityTimeout,
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Timeout: connectTimeout}).DialContext,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch asks as often as the service wants to be asked.
func (m *identityService) fetch(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	pause := time.Second
	for try := 1; ; try++ {
		token, err := m.ask(ctx)
		if err == nil || try == identityTries || !worthRetrying(err.Status) {
			return token, asError(err)
		}
		select {
		case <-time.After(max(pause, err.RetryAfter)):
			pause *= 2
		case <-ctx.Done():
			return nil, err
		}
	}
}

// asError keeps a nil *Error from becoming an error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// worthRetrying lists what the metadata service documents as passing: 404 and
// 410 while it is updated, 429 and 5xx under load.
func worthRetrying(status int) bool {
	return status == http.StatusNotFound || status == http.StatusGone || status == http.StatusTooManyRequests || status >= 500
}

func (m *identityService) ask(ctx context.Context) (*oauth2.Token, *Error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url.String(), nil)
	if err != nil {
		return nil, &Error{Description: "the managed identity service cannot be asked"}
	}
	req.Header[m.header] = []string{m.value} // in the spelling of the documentation
	resp, err := m.client.Do(req)
	if err != nil {
		return nil, &Error{Description: "no managed identity service answers here", cause: innerError(err), unreached: true}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &Error{Description: "the managed identity service's answer broke off", Status: http.StatusBadGateway}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, answerError(&oauth2.RetrieveError{Response: resp, Body: body, ErrorCode: field(body, "error"),
			ErrorDescription: field(body, "error_description")}, []string{m.value})
	}
	return identityToken(body)
}

const maxAnswer = 1 << 20

// innerError drops the URL, and with it the query, of a client's error.
func innerError(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// field returns a string of a JSON object, if it is there.
func field(body []byte, name string) string {
	var object map[string]json.RawMessage
	var value string
	if json.Unmarshal(body, &object) != nil || json.Unmarshal(object[name], &value) != nil {
		return ""
	}
	return value
}

// identityToken reads an answer, whose numbers are strings on most platforms.
func identityToken(body []byte) (*oauth2.Token, *Error) {
	var answer struct {
		AccessToken string       `json:"access_token"`
		ExpiresIn   secondsField `json:"expires_in"`
		ExpiresOn   secondsField `json:"expires_on"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return nil, &Error{Description: "the managed identity service's answer could not be used", Status: http.StatusOK}
	}
	token := &oauth2.Token{AccessToken: answer.AccessToken, TokenType: "Bearer"}
	switch {
	case answer.ExpiresIn > 0:
		token.Expiry = time.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)
	case answer.ExpiresOn > 0:
		token.Expiry = time.Unix(int64(answer.ExpiresOn), 0)
	}
	return token, nil
}

// secondsField is a number, or a string of one; anything else is 0.
type secondsField int64

// UnmarshalJSON implements [json.Unmarshaler].
func (s *secondsField) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	if err != nil || n < 0 || n > 1<<33 {
		n = 0
	}
	*s = secondsField(n)
	return nil
}
