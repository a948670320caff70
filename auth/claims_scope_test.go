package auth_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
)

func TestScopesOfTokensFromVariousServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payload string
		want    []string
	}{
		"Entra":            {`{"scp":"Mail.Read User.Read"}`, []string{"Mail.Read", "User.Read"}},
		"RFC 9068":         {`{"scope":"read:tickets edit:tickets"}`, []string{"read:tickets", "edit:tickets"}},
		"a list":           {`{"scope":["read:tickets","all",7]}`, []string{"read:tickets", "all"}},
		"Entra's own wins": {`{"scp":"Mail.Read","scope":["all"]}`, []string{"Mail.Read"}},
		"none":             {`{}`, nil},
	} {
		token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(c.payload)) + ".x"
		claims, ok := auth.DecodeClaims(token)
		if !ok || !slices.Equal(claims.Scopes, c.want) {
			t.Errorf("%s: %v, want %v", name, claims.Scopes, c.want)
		}
	}
}
