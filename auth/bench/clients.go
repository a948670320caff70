package main

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/msptoolbelt/toolbelt/auth"
)

// The application that signs in; none of it is real.
const (
	tenant   = "5f6e7d8c-1234-4321-8888-0123456789ab"
	clientID = "0a1b2c3d-1111-4222-8333-444455556666"
	secret   = "bench8Q~only-good-for-this-benchmark.000" //nolint:gosec // see above
	scope    = "https://graph.microsoft.com/.default"
	entra    = "https://login.microsoftonline.com"
)

// token gets an access token.
type token func(ctx context.Context) (string, error)

// client is one of the libraries.
type client struct {
	name string
	// life is that of a token, in seconds, with which it wants another one
	// about two seconds after the first.
	life int
	open func(*http.Client) (token, func(), error)
}

func clients() []client {
	return []client{
		{"x/oauth2", 12, openOAuth2}, // 10 s before its end
		{"MSAL", 302, openMSAL},      // 5 minutes before
		{"azidentity", 302, openAzidentity},
		{"toolbelt/auth", 5, openOurs}, // at half of a short life
	}
}

func nothing() {}

func openOAuth2(c *http.Client) (token, func(), error) {
	config := clientcredentials.Config{
		ClientID: clientID, ClientSecret: secret, TokenURL: entra + "/" + tenant + "/oauth2/v2.0/token",
		Scopes: []string{scope}, AuthStyle: oauth2.AuthStyleInParams,
	}
	source := config.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, c))
	return func(context.Context) (string, error) {
		t, err := source.Token()
		if err != nil {
			return "", err
		}
		return t.AccessToken, nil
	}, nothing, nil
}

func openMSAL(c *http.Client) (token, func(), error) {
	credential, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		return nil, nil, err
	}
	app, err := confidential.New(entra+"/"+tenant, clientID, credential, confidential.WithHTTPClient(c), confidential.WithInstanceDiscovery(false))
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context) (string, error) {
		result, err := app.AcquireTokenByCredential(ctx, []string{scope})
		return result.AccessToken, err
	}, nothing, nil
}

func openAzidentity(c *http.Client) (token, func(), error) {
	credential, err := azidentity.NewClientSecretCredential(tenant, clientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: c, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: entra}, Retry: policy.RetryOptions{MaxRetries: -1},
		},
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context) (string, error) {
		t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		return t.Token, err
	}, nothing, nil
}

func openOurs(c *http.Client) (token, func(), error) {
	authority, err := auth.Entra(auth.CloudGlobal, tenant)
	if err != nil {
		return nil, nil, err
	}
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: authority, ClientID: clientID, ClientAuth: auth.WithSecret(auth.NewSecret(secret)), Scopes: []string{scope}, HTTPClient: c,
		Source: auth.SourceOptions{FetchTimeout: 30 * time.Second},
	})
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context) (string, error) {
		t, err := source.TokenContext(ctx)
		if err != nil {
			return "", err
		}
		return t.AccessToken, nil
	}, source.Close, nil
}
