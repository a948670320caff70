package graph

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// WhoAmIInput has no arguments.
type WhoAmIInput struct{}

// WhoAmI says who is signed in and what they may do.
type WhoAmI struct {
	Account     string   `json:"account,omitempty"`
	Name        string   `json:"name,omitempty"`
	Mail        string   `json:"mail,omitempty"`
	ID          string   `json:"id,omitempty"`
	SignIn      string   `json:"sign_in" jsonschema:"user or application"`
	Tenant      string   `json:"tenant,omitempty"`
	TenantID    string   `json:"tenant_id,omitempty"`
	Domain      string   `json:"domain,omitempty"`
	TimeZone    string   `json:"time_zone,omitempty"`
	Now         string   `json:"now" jsonschema:"weekday, date and time"`
	Permissions []string `json:"permissions,omitempty"`
	Lacking     []string `json:"lacking,omitempty" jsonschema:"tools without permission, and which one is missing"`
	Unusable    []string `json:"unusable,omitempty" jsonschema:"tools that need the other kind of sign-in"`
	Problem     string   `json:"problem,omitempty"`
}

// maxLacking bounds the tools that are listed.
const maxLacking = 25

// WhoAmI tells who is signed in, with which permissions, and what they do not
// suffice for.
// https://learn.microsoft.com/graph/api/user-get and
// https://learn.microsoft.com/graph/api/organization-list
func (c *Client) WhoAmI(ctx context.Context, _ WhoAmIInput) (*WhoAmI, error) {
	claims, err := c.account(ctx)
	if err != nil {
		return nil, err
	}
	out := &WhoAmI{SignIn: "user", ID: claims.ObjectID, TenantID: claims.TenantID, Permissions: granted(claims)}
	zone := time.UTC
	if claims.AppOnly {
		out.SignIn, out.Account = "application", claims.AppID
	} else {
		var me directoryUser
		if err := c.get(ctx, "/me", url.Values{"$select": {"id,displayName,userPrincipalName,mail"}}, nil, &me); err != nil {
			return nil, err
		}
		out.Account, out.Name, out.Mail, out.ID = me.UPN, me.Name, me.Mail, me.ID
		if known, err := c.knownZone(ctx, "", ""); err == nil && known != nil {
			out.TimeZone, zone = known.String(), known
		}
	}
	out.Now = when.Now(zone)
	var organizations struct {
		Value []struct {
			ID      string `json:"id"`
			Name    string `json:"displayName"`
			Domains []struct {
				Name    string `json:"name"`
				Default bool   `json:"isDefault"`
			} `json:"verifiedDomains"`
		} `json:"value"`
	}
	err = c.get(ctx, "/organization", url.Values{"$select": {"id,displayName,verifiedDomains"}}, nil, &organizations)
	if err != nil {
		if claims.AppOnly && !refused(err) {
			return nil, err
		}
		out.Problem = "the tenant could not be read; " + err.Error()
	}
	for _, one := range organizations.Value {
		out.Tenant, out.TenantID = one.Name, one.ID
		for _, domain := range one.Domains {
			if domain.Default {
				out.Domain = domain.Name
			}
		}
	}
	out.Lacking, out.Unusable = c.cannot(claims)
	return out, nil
}

// refused reports whether Graph answered, but not with what was asked for. Any
// other failure says that nobody knows whether the sign-in works: an application
// asks for nothing but its tenant.
func refused(err error) bool {
	e, ok := errors.AsType[*mcptools.Error](err)
	return ok && e.Upstream != "" &&
		slices.Contains([]mcptools.Code{mcptools.CodePermissionDenied, mcptools.CodeNotFound, mcptools.CodeInvalidArguments, mcptools.CodeNotSupported}, e.Code)
}

// granted are the permissions in a token.
func granted(claims auth.Claims) []string {
	list := slices.Concat(claims.Scopes, claims.Roles)
	slices.Sort(list)
	return slices.Compact(list)
}

// cannot lists the tools that the permissions do not suffice for. An opaque
// token does not tell.
func (c *Client) cannot(claims auth.Claims) (lacking, unusable []string) {
	have := granted(claims)
	if len(have) == 0 {
		return nil, nil
	}
	for tool := range c.Tools().All() {
		spec := tool.Spec()
		wanted := spec.Scopes.Delegated
		if claims.AppOnly {
			wanted = spec.Scopes.Application
		}
		if wanted == nil {
			unusable = append(unusable, spec.Name)
			continue
		}
		if missing := lacks(have, wanted); len(missing) > 0 {
			lacking = append(lacking, spec.Name+": "+strings.Join(missing, ", "))
		}
	}
	if more := len(lacking) - maxLacking; more > 0 {
		lacking = append(lacking[:maxLacking], "…")
	}
	return lacking, unusable
}
