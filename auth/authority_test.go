package auth_test

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

func TestEntra(t *testing.T) {
	const id = "7a7c9b6e-1c5d-4e1f-9f0a-2b3c4d5e6f70"
	tests := []struct {
		cloud              auth.Cloud
		tenant, token, iss string
	}{
		{"", id, "https://login.microsoftonline.com/" + id + "/oauth2/v2.0/token", "https://login.microsoftonline.com/" + id + "/v2.0"},
		{auth.CloudGlobal, "contoso.example", "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token", ""},
		{auth.CloudGCCHigh, "organizations", "https://login.microsoftonline.us/organizations/oauth2/v2.0/token", ""},
		{auth.CloudDoD, "organizations", "https://login.microsoftonline.us/organizations/oauth2/v2.0/token", ""},
		{auth.CloudChina, "contoso.example", "https://login.partner.microsoftonline.cn/contoso.example/oauth2/v2.0/token", ""},
		{"", "consumers", "https://login.microsoftonline.com/consumers/oauth2/v2.0/token", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"},
		{"http://127.0.0.1:8080/", "organizations", "http://127.0.0.1:8080/organizations/oauth2/v2.0/token", ""},
	}
	for _, test := range tests {
		a, err := auth.Entra(test.cloud, test.tenant)
		if err != nil || a.TokenURL != test.token || a.Issuer != test.iss || a.AuthURL != strings.TrimSuffix(test.token, "token")+"authorize" {
			t.Errorf("%+v, %v", a, err)
		}
	}
	for _, tenant := range []string{"", "a/b", "..", ".", "a..b", "a?b", "a#b", "a b", "a%2fb", "ü", strings.Repeat("a", 254), "-"} {
		if _, err := auth.Entra("", tenant); err == nil {
			t.Errorf("tenant %q is accepted", tenant)
		}
	}
	if _, err := auth.Entra(auth.CloudChina, "consumers"); err == nil {
		t.Error("personal accounts in a national cloud")
	}
	for _, cloud := range []auth.Cloud{"http://login.example", "login.example", "https://a:b@login.example", "://"} {
		if _, err := auth.Entra(cloud, "organizations"); err == nil {
			t.Errorf("cloud %q is accepted", cloud)
		}
	}
}

func TestHalo(t *testing.T) {
	a, err := auth.Halo("https://acme.halopsa.example/auth", "acme & co")
	if err != nil || a.TokenURL != "https://acme.halopsa.example/auth/token?tenant=acme+%26+co" ||
		a.AuthURL != "https://acme.halopsa.example/auth/authorize?tenant=acme+%26+co" {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = auth.Halo("https://halo.acme.example/auth/", "")
	if err != nil || a.TokenURL != "https://halo.acme.example/auth/token" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, address := range []string{"", "http://acme.halopsa.example/auth", "acme.halopsa.example", "https://acme.example/auth?x=1", "https://u@acme.example/"} {
		if _, err := auth.Halo(address, ""); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

func TestPKCEConfigIsChecked(t *testing.T) {
	good, err := auth.Entra("", "organizations")
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]auth.PKCEConfig{
		"no id":          {Authority: good},
		"no page":        {Authority: auth.Authority{TokenURL: "https://login.example/token"}, ClientID: "x"},
		"http page":      {Authority: auth.Authority{TokenURL: "https://login.example/token", AuthURL: "http://login.example/"}, ClientID: "x"},
		"other redirect": {Authority: good, ClientID: "x", RedirectHost: "evil.example"},
	} {
		if _, err := auth.NewPKCE(config); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func jwt(payload string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(payload)) + ".sig"
}

func TestDecodeClaims(t *testing.T) {
	user, ok := auth.DecodeClaims(jwt(`{"iss":"https://sts.example/","tid":"t1","sub":"s1","oid":"o1","upn":"ada@contoso.example","name":"Ada","appid":"a1","scp":"Mail.Read User.Read","exp":1900000000}`))
	want := auth.Claims{
		Issuer: "https://sts.example/", TenantID: "t1", Subject: "s1", ObjectID: "o1", Username: "ada@contoso.example", Name: "Ada",
		AppID: "a1", Scopes: []string{"Mail.Read", "User.Read"}, Expires: time.Unix(1900000000, 0),
	}
	if !ok || !reflect.DeepEqual(user, want) {
		t.Errorf("%+v", user)
	}
	app, ok := auth.DecodeClaims(jwt(`{"tid":"t1","oid":"o1","sub":"o1","azp":"a1","roles":["Mail.ReadWrite"],"aud":["x"],"exp":"soon"}`))
	if !ok || !app.AppOnly || len(app.Roles) != 1 || app.AppID != "a1" || !app.Expires.IsZero() {
		t.Errorf("%+v", app)
	}
	if typed, ok := auth.DecodeClaims(jwt(`{"idtyp":"user","preferred_username":"bob","scp":["a","b",3]}`)); !ok || typed.AppOnly || typed.Username != "bob" || len(typed.Scopes) != 2 {
		t.Errorf("%+v", typed)
	}
	for _, token := range []string{"", "opaque", "a.b", "a.b.c.d", "a.!.c", jwt("null"), jwt("[]"), jwt("{"), jwt(`"x"`), "..", jwt(`{"x":"` + strings.Repeat("x", 1<<17) + `"}`)} {
		if c, ok := auth.DecodeClaims(token); ok {
			t.Errorf("%.20q gave %+v", token, c)
		}
	}
}

func FuzzDecodeClaims(f *testing.F) {
	f.Add("a.b.c")
	f.Add(jwt(`{"scp":"x","roles":["y"],"exp":1e300}`))
	f.Fuzz(func(t *testing.T, token string) {
		if c, ok := auth.DecodeClaims(token); !ok && !reflect.DeepEqual(c, auth.Claims{}) {
			t.Errorf("%+v", c)
		}
	})
}
