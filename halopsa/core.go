package halopsa

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// WhoAmIInput has no arguments.
type WhoAmIInput struct{}

// WhoAmIOutput says on whose behalf calls are made, and where.
type WhoAmIOutput struct {
	Instance string   `json:"instance"`
	Tenant   string   `json:"tenant,omitempty"`
	Agent    Agent    `json:"agent"`
	Scopes   []string `json:"scopes,omitempty" jsonschema:"of the token, where it tells"`
	TimeZone string   `json:"time_zone"`
	Now      string   `json:"now" jsonschema:"weekday, date and time"`
	Problem  string   `json:"problem,omitempty"`
}

// WhoAmI returns the agent that calls act as, the instance, and the scopes that
// were granted. GET /Agent/me, GET /AuthInfo
func (c *Client) WhoAmI(ctx context.Context, _ WhoAmIInput) (*WhoAmIOutput, error) {
	me, err := c.me(ctx)
	if err != nil {
		return nil, err
	}
	out := &WhoAmIOutput{Instance: strings.TrimSuffix(c.service.Base.String(), "/api"), Agent: agentRow(me), Scopes: c.scopes(ctx), TimeZone: c.zone.String(), Now: when.Now(c.zone)}
	var info struct {
		Tenant string `json:"tenant_id"`
	}
	if err := c.get(ctx, "/AuthInfo", nil, &info); err != nil {
		out.Problem = "the tenant is not known: " + reason(err)
	}
	out.Tenant = info.Tenant
	return out, nil
}

// scopes are those of the token: as the token endpoint told, or as a token in
// JWT form says. An opaque token tells nothing.
func (c *Client) scopes(ctx context.Context) []string {
	token, err := c.source.TokenContext(ctx)
	if err != nil {
		return nil // the call before this one had a token, so this is a passing matter
	}
	if text, ok := token.Extra("scope").(string); ok && text != "" {
		return strings.Fields(text)
	}
	claims, _ := auth.DecodeClaims(token.AccessToken)
	return claims.Scopes
}

// reason is the first line of an error's text, for results that go on without
// what failed.
func reason(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// GlobalSearchInput is what to look for.
type GlobalSearchInput struct {
	Query     string `json:"query"`
	PerEntity int    `json:"per_entity,omitempty" minimum:"1" maximum:"20" default:"5" jsonschema:"hits per kind"`
}

// GlobalSearchOutput holds the hits of all kinds.
type GlobalSearchOutput struct {
	Items []SearchHit `json:"items"`
}

// SearchHit is one record that was found.
type SearchHit struct {
	Kind   string `json:"kind"`
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

// hit is a found record of any kind; kinds name their fields differently.
type hit struct {
	ID              whole  `json:"id"`
	Summary         string `json:"summary"`
	Name            string `json:"name"`
	InventoryNumber string `json:"inventory_number"`
	KeyField        string `json:"key_field"`
	AssetType       string `json:"assettype_name"`
	Email           string `json:"emailaddress"`
	Client          string `json:"client_name"`
	Site            string `json:"site_name"`
	User            string `json:"user_name"`
}

// searchKinds are the lists of a search result in the order they are shown, and
// what their records are called. Other lists of records follow by their own name.
var searchKinds = []struct{ key, kind string }{
	{"tickets", "ticket"}, {"clients", "client"}, {"sites", "site"}, {"users", "user"}, {"assets", "asset"}, {"articles", "kb_article"},
}

// GlobalSearch finds records of all kinds. GET /Search
func (c *Client) GlobalSearch(ctx context.Context, in GlobalSearchInput) (*GlobalSearchOutput, error) {
	if strings.TrimSpace(in.Query) == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "query: must not be empty")
	}
	limit := cmp.Or(in.PerEntity, 5)
	query := url.Values{"search": {in.Query}, "count_per_entity": {strconv.Itoa(limit)}}
	lists := map[string]json.RawMessage{}
	if _, err := c.service.Do(ctx, rest.Request{Method: http.MethodGet, Path: "/Search", Query: query}, &lists); err != nil {
		return nil, err
	}
	out := &GlobalSearchOutput{Items: []SearchHit{}}
	for _, known := range searchKinds {
		out.Items = append(out.Items, hits(known.kind, lists[known.key], limit)...)
		delete(lists, known.key)
	}
	for _, key := range slices.Sorted(maps.Keys(lists)) {
		out.Items = append(out.Items, hits(key, lists[key], limit)...)
	}
	return out, nil
}

// hits reads the records of one kind. An answer has lists of other things too:
// what is no record is left out.
func hits(kind string, list json.RawMessage, limit int) []SearchHit {
	var found []json.RawMessage
	if json.Unmarshal(list, &found) != nil {
		return nil
	}
	var rows []SearchHit
	for _, record := range found {
		var h hit
		if json.Unmarshal(record, &h) != nil || len(rows) == limit {
			continue
		}
		name := markup.Preview(cmp.Or(h.Summary, h.Name, h.InventoryNumber, h.KeyField), 120)
		if h.ID == 0 || name == "" {
			continue
		}
		var detail []string
		for _, text := range []string{h.KeyField, h.AssetType, h.User, h.Email, h.Client, h.Site} {
			if text != "" && text != name {
				detail = append(detail, text)
			}
		}
		rows = append(rows, SearchHit{Kind: kind, ID: int(h.ID), Name: name, Detail: markup.Preview(strings.Join(detail, ", "), 120)})
	}
	return rows
}
