package halopsa

import (
	"cmp"
	"context"
	"net/url"
	"strconv"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// site is a client's site as Halo sends it.
type site struct {
	ID       whole  `json:"id"`
	Name     string `json:"name"`
	ClientID whole  `json:"client_id"`
	Client   string `json:"client_name"`
	Phone    string `json:"phonenumber"`
	Inactive truth  `json:"inactive"`
	TimeZone string `json:"timezone"`
	SLA      string `json:"sla_name"`
	Notes    string `json:"notes"`
	Address  *struct {
		Line1    string `json:"line1"`
		Line2    string `json:"line2"`
		Line3    string `json:"line3"`
		Line4    string `json:"line4"`
		Postcode string `json:"postcode"`
	} `json:"delivery_address"`
	CustomFields []customField `json:"customfields"`
}

// SiteRow is a site in a list.
type SiteRow struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	ClientID int    `json:"client_id"`
	Client   string `json:"client"`
	Phone    string `json:"phone,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
}

func siteRow(s site) SiteRow {
	return SiteRow{ID: int(s.ID), Name: s.Name, ClientID: int(s.ClientID), Client: s.Client, Phone: s.Phone, Inactive: bool(s.Inactive)}
}

// SearchSitesInput narrows the sites down.
type SearchSitesInput struct {
	Client          string `json:"client,omitempty" jsonschema:"name or id"`
	Query           string `json:"query,omitempty"`
	IncludeInactive bool   `json:"include_inactive,omitempty"`
	Limit           int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"20"`
	Cursor          string `json:"cursor,omitempty"`
}

// SearchSites lists the sites of clients. GET /Site
func (c *Client) SearchSites(ctx context.Context, in SearchSitesInput) (*mcptools.Page[SiteRow], error) {
	l := collection{tool: "sites_search", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20), path: "/Site", key: "sites",
		query: params("includeinactive", flag(in.IncludeInactive), "search", in.Query)}
	if _, err := c.ofClient(ctx, l.query, in.Client); err != nil {
		return nil, err
	}
	return list(ctx, c, l, siteRow)
}

// ofClient narrows a list down to the client that text names, and returns its
// id. An empty text narrows nothing.
func (c *Client) ofClient(ctx context.Context, query url.Values, text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	owner, err := c.client(ctx, text)
	if err == nil {
		query.Set("client_id", strconv.Itoa(owner.ID))
	}
	return owner.ID, err
}

// GetSiteInput names a site.
type GetSiteInput struct {
	ID     string `json:"id" jsonschema:"or name"`
	Client string `json:"client,omitempty" jsonschema:"whose site, for a name"`
}

// Site is one site in full.
type Site struct {
	SiteRow
	Address      string            `json:"address,omitempty"`
	TimeZone     string            `json:"time_zone,omitempty"`
	SLA          string            `json:"sla,omitempty"`
	Notes        string            `json:"notes,omitempty"`
	CustomFields map[string]string `json:"custom_fields,omitempty"`
}

// GetSite reads one site. GET /Site/{id}
func (c *Client) GetSite(ctx context.Context, in GetSiteInput) (*Site, error) {
	var s site
	find := func(ctx context.Context, text string) (party, error) {
		owner, err := c.ofClient(ctx, url.Values{}, in.Client)
		if err != nil {
			return party{}, err
		}
		return c.site(ctx, owner, text)
	}
	if err := c.getNamed(ctx, "site", "/Site", in.ID, find, nil, &s); err != nil {
		return nil, err
	}
	out := &Site{SiteRow: siteRow(s), TimeZone: s.TimeZone, SLA: s.SLA, Notes: plainNotes(s.Notes), CustomFields: shownFields(s.CustomFields)}
	if s.Address != nil {
		out.Address = joinNonEmpty(", ", s.Address.Line1, s.Address.Line2, s.Address.Line3, s.Address.Line4, s.Address.Postcode)
	}
	return out, nil
}
