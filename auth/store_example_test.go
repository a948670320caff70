package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/msptoolbelt/toolbelt/auth"
)

// temporary stands for a directory of the user's, such as os.UserConfigDir.
func temporary() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "toolbelt")
	if err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

// A desktop program that need not ask for a sign-in at each start: the key in
// one place, the sealed sign-ins in another.
func ExampleStore_Keep() {
	dir, remove := temporary()
	defer remove()
	keys, err := auth.LoadKeyring(filepath.Join(dir, "key", "sign-ins"))
	if err != nil {
		fmt.Println(err)
		return
	}
	files, err := auth.NewFileKV(filepath.Join(dir, "sign-ins"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = files.Close() }()
	store, err := auth.NewStore(files, keys, auth.StoreOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	entra, err := auth.Entra(auth.CloudGlobal, "organizations")
	if err != nil {
		fmt.Println(err)
		return
	}
	const clientID = "00000000-0000-0000-0000-000000000000"
	p, err := auth.NewPKCE(auth.PKCEConfig{
		Authority: entra,
		ClientID:  clientID,
		Scopes:    []string{"Mail.Read"},
		Source: store.Keep(auth.StoreKey{
			Issuer: entra.TokenURL, ClientID: clientID, Subject: "me", Scopes: []string{"Mail.Read"},
		}, auth.SourceOptions{}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Source().Close()
	_, err = p.Source().Token() // works from the second start on
	fmt.Println(err)
	// Output: auth: no token: login_required: nobody is signed in
}

// A server for many users: each signs in once, and tools ask for more scopes
// when they need them.
func ExampleAccounts() {
	keys, err := auth.NewKeyring(auth.NewKey())
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := auth.NewStore(new(auth.MemoryKV), keys, auth.StoreOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := newDirectory() // the authorization server
	accounts, err := auth.NewAccounts(auth.AccountsConfig{
		Store: store,
		SignIn: auth.PKCEConfig{
			ClientID: "portal", Scopes: []string{"Mail.Read"}, HTTPClient: &http.Client{Transport: server},
		},
		Authority: authorityAt("https://login.example"),
		Why:       map[string]string{"Mail.Send": "to send the reply that you approve"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer accounts.Close()
	ann := auth.Account{Tenant: "contoso", Subject: "ann"}
	_, err = accounts.Require(context.Background(), ann, "Mail.Send")
	fmt.Println(err)
	if consent, ok := errors.AsType[*auth.ConsentError](err); ok {
		p, err := accounts.SignIn(consent.Account) // send her to p.Begin, then p.Complete
		fmt.Println(p != nil, err)
	}
	// Output:
	// auth: the user must sign in and consent to Mail.Send (to send the reply that you approve)
	// true <nil>
}
