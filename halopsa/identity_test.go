package halopsa_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"golang.org/x/oauth2"
)

type tokenKey struct{}

// A client whose tokens follow the caller knows one agent from another without
// being told how.
func TestAgentsOfOneClientShareNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if strings.HasSuffix(r.URL.Path, "/Agent/me") {
			fmt.Fprintf(w, `{"id":%d,"name":%q}`, len(name), name)
			return
		}
		fmt.Fprint(w, `{"record_count":90,"clients":[{"id":1,"name":"a"},{"id":2,"name":"b"}]}`)
	}))
	t.Cleanup(server.Close)
	client, err := halopsa.New(auth.Func(func(ctx context.Context) (*oauth2.Token, error) {
		token, _ := ctx.Value(tokenKey{}).(string)
		return &oauth2.Token{AccessToken: token}, nil
	}), halopsa.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	ann, robert := context.WithValue(t.Context(), tokenKey{}, "ann"), context.WithValue(t.Context(), tokenKey{}, "robert")
	for _, ctx := range []context.Context{ann, robert, ann} {
		me, err := client.Me(ctx, halopsa.MeInput{})
		if want, _ := ctx.Value(tokenKey{}).(string); err != nil || me.Name != want {
			t.Errorf("%s is taken for %+v, %v", want, me, err)
		}
	}
	page, err := client.SearchClients(ann, halopsa.SearchClientsInput{Limit: 1})
	if err != nil || page.Cursor == "" {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := client.SearchClients(ann, halopsa.SearchClientsInput{Limit: 1, Cursor: page.Cursor}); err != nil {
		t.Error(err)
	}
	if got, err := client.SearchClients(robert, halopsa.SearchClientsInput{Limit: 1, Cursor: page.Cursor}); err == nil {
		t.Errorf("another's cursor: %+v", got)
	}
}
