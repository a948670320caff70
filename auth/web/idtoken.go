package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

var errIDToken = errors.New("web: the identity provider did not say who signed in")

// IDToken returns a function for SignInOptions.User: the user that the ID
// token names, as "tid|oid" if the issuer is that
// tenant's (Entra), otherwise "iss|sub". The
// sign-in must ask for the scope openid.
//
// Issuer and audience must be those given, and the token must not have
// expired. Its signature is not checked: it came from the token endpoint
// itself, over TLS, which OpenID Connect Core section 3.1.3.7 (point 6) puts in
// its place. So never give it a token that came in any other way.
func IDToken(issuer, clientID string) func(context.Context, *oauth2.Token) (string, error) {
	return func(_ context.Context, token *oauth2.Token) (string, error) {
		raw, ok := token.Extra("id_token").(string)
		if !ok || issuer == "" || clientID == "" {
			return "", errIDToken
		}
		parts := strings.Split(raw, ".")
		if len(parts) != 3 {
			return "", errIDToken
		}
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return "", errIDToken
		}
		var claims struct {
			Issuer   string   `json:"iss"`
			Subject  string   `json:"sub"`
			Tenant   string   `json:"tid"`
			Object   string   `json:"oid"`
			Audience audience `json:"aud"`
			Expires  float64  `json:"exp"`
		}
		if json.Unmarshal(payload, &claims) != nil || claims.Subject == "" ||
			claims.Issuer != issuer || !slices.Equal(claims.Audience, []string{clientID}) ||
			float64(time.Now().Add(-time.Minute).Unix()) >= claims.Expires {
			return "", errIDToken
		}
		// Of an issuer without tenants, tid and oid are just words.
		if claims.Object != "" && claims.Tenant != "" && strings.Contains(issuer, "/"+claims.Tenant+"/") {
			return claims.Tenant + "|" + claims.Object, nil
		}
		return claims.Issuer + "|" + claims.Subject, nil
	}
}

// audience is one string or a list of them.
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}
