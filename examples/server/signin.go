package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
)

// closingSource is a source of tokens that must be closed.
type closingSource interface {
	auth.TokenSource
	Close()
}

// m365SignIn signs in to Microsoft 365 by whatever the environment offers: as
// the application if there is something to prove it with, otherwise as a person.
func m365SignIn(c config, cloud graph.Cloud) (closingSource, error) {
	if identity := c.managedIdentity(); identity != "" {
		config := auth.ManagedIdentityConfig{Scope: cloud.DefaultScope(), Env: c.env}
		if identity != "system" {
			config.ClientID = identity
		}
		return auth.NewManagedIdentity(config)
	}
	if err := require(c, "Microsoft 365", "M365_TENANT_ID", "M365_CLIENT_ID"); err != nil {
		return nil, err
	}
	if _, err := auth.Entra(cloud.Login, "organizations"); err != nil { // with any tenant
		return nil, fmt.Errorf("M365_LOGIN_URL: %w", err)
	}
	authority, err := auth.Entra(cloud.Login, c.env("M365_TENANT_ID"))
	if err != nil {
		return nil, fmt.Errorf("M365_TENANT_ID: %w", err)
	}
	authority.Capabilities = []string{"cp1"} // graph's transport answers claims challenges
	proof, err := c.m365Proof()
	if err != nil {
		return nil, err
	}
	scopes := []string{cloud.DefaultScope()}
	if proof.IsZero() || c.device {
		return m365Person(c, authority, scopes)
	}
	return auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: authority, ClientID: c.env("M365_CLIENT_ID"), ClientAuth: proof, Scopes: scopes,
	})
}

// managedIdentity returns "system", the client id of a user-assigned identity,
// or nothing.
func (c config) managedIdentity() string {
	switch value := c.env("M365_MANAGED_IDENTITY"); value {
	case "0", "false", "no":
		return ""
	case "1", "true", "yes":
		return "system"
	default:
		return value
	}
}

// m365Proof returns what the application proves itself with, if anything.
func (c config) m365Proof() (auth.ClientAuth, error) {
	if secret := c.secret("M365_CLIENT_SECRET"); !secret.IsZero() {
		return secret, nil
	}
	if path := c.env("M365_CLIENT_CERTIFICATE_PATH"); path != "" {
		proof, err := auth.WithCertificateFile(path)
		if err != nil {
			return proof, fmt.Errorf("M365_CLIENT_CERTIFICATE_PATH: %w", err)
		}
		return proof, nil
	}
	if path := c.env("AZURE_FEDERATED_TOKEN_FILE"); path != "" {
		return auth.WithAssertionFile(path), nil
	}
	return auth.ClientAuth{}, nil
}

// secret returns the client secret in the variable, or in the file that the
// variable with _FILE names.
func (c config) secret(name string) auth.ClientAuth {
	if value := c.env(name); value != "" {
		return auth.WithSecret(auth.NewSecret(value))
	}
	if path := c.env(name + "_FILE"); path != "" {
		return auth.WithSecretFile(path)
	}
	return auth.ClientAuth{}
}

// m365Person signs a person in, whose sign-in is kept in the store.
func m365Person(c config, authority auth.Authority, scopes []string) (*personSource, error) {
	config := auth.PKCEConfig{Authority: authority, ClientID: c.env("M365_CLIENT_ID"), Scopes: scopes}
	store, err := c.openStore()
	if err != nil {
		return nil, err
	}
	if store != nil {
		config.Source = store.Keep(personKey(authority, config.ClientID, scopes), auth.SourceOptions{})
	}
	return newPersonSource(config, c.device)
}

// personKey names the sign-in of the one person that this server acts for.
func personKey(authority auth.Authority, clientID string, scopes []string) auth.StoreKey {
	return auth.StoreKey{Issuer: cmp.Or(authority.Issuer, authority.TokenURL), ClientID: clientID, Subject: "me", Scopes: scopes}
}

// openStore opens the store of sign-ins: encrypted files of this user, the key
// apart from them. Nil means that sign-ins are kept in memory only.
func (c config) openStore() (*auth.Store, error) {
	if c.store == "none" {
		return nil, nil
	}
	directory := c.store
	if directory == "" {
		home, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("-store: name a directory, or none: %w", err)
		}
		directory = filepath.Join(home, "toolbelt")
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	keys, err := auth.LoadKeyring(filepath.Join(directory, "key", "keyring"))
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	files, err := auth.NewFileKV(filepath.Join(directory, "accounts"))
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	return auth.NewStore(files, keys, auth.StoreOptions{})
}

var errNoStore = errors.New("with -store none no sign-in is kept, so there is none to list or forget")

var errNoPerson = errors.New("nobody signs in here: the settings make the application sign in by itself, or there are none")

// login is -login: a person signs in now, for the servers that start later and
// for those that run already.
func login(ctx context.Context, c config, w io.Writer) error {
	source, _, closeSource, err := m365Source(c) //nolint:contextcheck // connecting waits for nothing
	if err != nil {
		return err
	}
	defer closeSource()
	person, ok := source.(*personSource)
	if !ok {
		return errNoPerson
	}
	if c.store == "none" {
		return errors.New("-login: without a store the sign-in would be lost at once")
	}
	if err := person.signInNow(ctx, func(todo string) { fmt.Fprintf(w, "Please %s.\n", todo) }); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, "Signed in.")
	return err
}

// logout is -logout: it forgets every sign-in in the store. Entra has no
// revocation endpoint (RFC 7009); its users end sessions at
// https://myaccount.microsoft.com.
func logout(ctx context.Context, c config, w io.Writer) error {
	store, err := c.openStore() //nolint:contextcheck // opening files
	if err != nil {
		return err
	}
	if store == nil {
		return errNoStore
	}
	keys, err := store.Keys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := store.Delete(ctx, key); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "%d sign-ins forgotten.\n", len(keys))
	return err
}

// accounts is -accounts: it lists the sign-ins in the store.
func accounts(ctx context.Context, c config, w io.Writer) error {
	store, err := c.openStore() //nolint:contextcheck // opening files
	if err != nil {
		return err
	}
	if store == nil {
		return errNoStore
	}
	records, err := store.Records(ctx)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SIGN-IN SERVICE\tAPPLICATION\tSIGNED IN\tRENEWED")
	for _, r := range records {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Key.Issuer, r.Key.ClientID, r.SignedIn.Local().Format(time.DateTime), r.Renewed.Local().Format(time.DateTime))
	}
	return errors.Join(err, table.Flush())
}
