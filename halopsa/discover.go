package halopsa

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// Instance is what a HaloPSA instance tells about itself to anybody.
type Instance struct {
	AuthURL string // of the authorization server: hosted ones share it, on-premises ones have their own
	Tenant  string // "" on premises
}

// Discover asks an instance for its authorization server (GET /api/authinfo,
// which needs no sign-in). An instance that does not say has it at /auth, next
// to /api. httpClient lends its transport; nil is one of our own.
func Discover(ctx context.Context, address string, httpClient *http.Client) (Instance, error) {
	base, err := apiURL(address)
	if err != nil {
		return Instance{}, err
	}
	var options resilience.Options
	if httpClient != nil {
		options.Base = httpClient.Transport
	}
	client, err := rest.Stack(base, nil, options)
	if err != nil {
		return Instance{}, err
	}
	service := &rest.Service{Name: "HaloPSA", Base: base, Client: client}
	var info struct {
		AuthURL  string `json:"auth_url"`
		TenantID string `json:"tenant_id"`
	}
	if _, err := service.Do(ctx, rest.Request{Method: http.MethodGet, Path: "/authinfo"}, &info); err != nil {
		return Instance{}, err
	}
	fallback := base.JoinPath("..", "auth").String()
	instance := Instance{AuthURL: cmp.Or(info.AuthURL, fallback), Tenant: info.TenantID}
	// The secret will be sent there, so an answer that only looks like an
	// address is refused. auth.Halo insists on https.
	if u, err := url.Parse(instance.AuthURL); err != nil || u.Host == "" || u.User != nil {
		return Instance{}, mcptools.Errorf(mcptools.CodeUpstream, "HaloPSA named an authorization server that is no address").
			WithHint("set the authorization server's address yourself")
	}
	return instance, nil
}
