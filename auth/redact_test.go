package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

func ExampleRedactor() {
	var redactor auth.Redactor
	fmt.Println(redactor.String(`Post "https://login.example/token?code=0.AXoA7": {"error":"x","refresh_token":"M.C5_BL2.0.U.x*y!z$"}`))
	fmt.Println(redactor.Error(fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)))
	// Output:
	// Post "https://login.example/token?code=[REDACTED]": {"error":"x","refresh_token":"[REDACTED]"}
	// reading: unexpected EOF
}

func ExampleRedactor_Handler() {
	var redactor auth.Redactor
	var out bytes.Buffer
	plain := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	slog.New(redactor.Handler(plain)).Info("sent", "password", "hunter2", "header", "Authorization: Bearer abc123xyz")
	fmt.Print(out.String())
	// Output: level=INFO msg=sent password=[REDACTED] header="Authorization: [REDACTED]"
}

// TestRedactorLeavesAlone holds what people need to see in a log.
func TestRedactorLeavesAlone(t *testing.T) {
	var redactor auth.Redactor
	for _, text := range []string{
		"",
		`time=2026-03-01T12:00:00.000Z level=INFO msg="tool called" tool=m365_mail_search duration=12ms bytes=1824 rows=10`,
		"auth: no token: invalid_client: AADSTS7000215: Invalid client secret provided. (HTTP 401) (correlation id 7d2a0c3e-1111-4222-8333-944455556666)",
		"auth: no token: login_required: nobody is signed in",
		`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`,
		`{"code":"InvalidAuthenticationToken","status":401}`, `{"code":"MailboxNotEnabledForRESTAPI"}`, `{"code":"ERROR_RESOURCE_NOT_FOUND"}`,
		"exit code: 1", "code=404", "the token expired an hour ago", "Bearer token missing", "basic authentication is off",
		`WWW-Authenticate: Bearer error="invalid_token"`, `WWW-Authenticate: Bearer realm="graph", error="insufficient_claims"`,
		"GET https://graph.microsoft.com/v1.0/me/messages/AAMkAGI2TG93AAA0NDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwYWJjZGVmZ2hpamtsbW5vcA== 200",
		"drive b!-RIj2DuyvEyV1T4NlOaMHk8XkS_I8MdFlUCq1BlcjgmhRfAj3-Z8RY2VpuvV_tpd item 01BYE5RZ6QN3ZWBTUFOFD3GSPGOHDJD36K",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "request-id: 1e3a8c9b-aaaa-4bbb-8ccc-dddddddddddd",
		"\tgithub.com/modelcontextprotocol/go-sdk@v1.8.0/mcp/server.go:312 +0x1d4",
		"golang.org/x/exp@v0.0.0-20240119083558-1b970713d09a/maps/maps.go:12",
		"--- FAIL: TestUploadsGoOnWhereTheyStopped (0.01s)", "max_tokens: 4096, total_tokens=12",
		"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?response_type=code&client_id=11111111-2222-3333-4444-555555555555&scope=openid",
		"mailto:alex@contoso.example", "https://contoso.sharepoint.com/sites/IT/Shared%20Documents/Plan.docx?web=1", "config=full", "pass: 12 fail: 0",
	} {
		if got := redactor.String(text); got != text {
			t.Errorf("\n in %s\nout %s", text, got)
		}
	}
}

func TestRedactorShapes(t *testing.T) {
	const v = "c4n4ry-Value~1"
	var redactor auth.Redactor
	for _, text := range []string{
		`password: ` + v, `{"password" : "` + v + `"}`, `password=` + v + `;user=x`, `Password='` + v + `'`, "--password " + v,
		`{"client_secret":"a\"` + v + `"}`, `{\"client_secret\":\"` + v + `\"}`, `\\\"client_secret\\\": \\\"` + v + `\\\"`,
		`{"client_secret":"` + v, `client_secret=abc&code_verifier=` + v, `?code=` + v, `&code=` + v + `#frag`,
		`Authorization: Bearer ` + v, `authorization:[Basic ` + v + `]`, `Proxy-Authorization: Negotiate ` + v, `Cookie: a=b; s=` + v,
		"Set-Cookie: s=" + v + "; Path=/", `X-Halo-Api-Key: ` + v, `x-api-key=` + v, "https://user:" + v + "@host/x", "https://" + v + "@host",
		`?sv=2024&sig=` + v + `%3D&se=2026`, `tempauth=v1.` + v, "DPoP " + v, `access_token%3D` + v + `%26x`, `access_token%253D` + v,
		`<add key="password" value="` + v + `">`, "secret => " + v, `client_secret:["a","` + v + `"]`, `{"credentials":{"user":"x","key":"` + v + `"}}`,
		"connectionString=\"Server=x;Pwd=" + v + "\"", "token: " + v, `"token":"` + v + `"`, "&amp;code=" + v, "form[client_secret]=" + v,
		`"\u003cpassword\u003e` + v + `\u003c/password\u003e"`, `&lt;password&gt;` + v + `&lt;/password&gt;`, `{\u0026#34;password\u0026#34;:\u0026#34;` + v + `\u0026#34;}`,
		`{&amp;quot;password&amp;quot;:&amp;quot;` + v + `&amp;quot;}`, `{\&#34;password\&#34;:\&#34;` + v + `\&#34;}`, `{&#34;password&#34;:&#34;a\&#34;` + v + `&#34;}`,
		`{\u0022password\u0022:\u0022` + v + `\u0022}`,
		"-----BEGIN EC PRIVATE KEY-----\n" + v + "\n-----END EC PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n" + v,
	} {
		if got := redactor.String(text); strings.Contains(got, v) || !strings.Contains(got, "[REDACTED]") {
			t.Errorf("\n in %s\nout %s", text, got)
		}
	}
}

func TestRedactorKnownValues(t *testing.T) {
	const odd = `p&"q ü/<+\x`
	redactor := auth.NewRedactor(auth.NewSecret(odd), auth.NewSecret("abc"), auth.Secret{})
	quoted, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{odd, url.QueryEscape(odd), url.PathEscape(odd), string(quoted[1 : len(quoted)-1])} {
		if got := redactor.String("it is " + form + " indeed"); got != "it is [REDACTED] indeed" {
			t.Errorf("%s: %s", form, got)
		}
	}
	if got := redactor.String("abc"); got != "abc" {
		t.Errorf("a short value blanks out text: %s", got)
	}
}

type valuer struct{ secret string }

func (v valuer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("client_secret", v.secret), slog.String("kind", "x"))
}

type broken struct{}

func (broken) Error() string { panic("in Error") }

func TestRedactingHandler(t *testing.T) {
	const v = "c4n4ry-Value~1"
	header := http.Header{"Authorization": {"Bearer " + v}, "X-Request-Id": {"7"}}
	for name, log := range map[string]func(*slog.Logger){
		"message": func(l *slog.Logger) { l.Info("refused: password=" + v) },
		"name":    func(l *slog.Logger) { l.Info("x", "client_secret", v, "count", 7) },
		"value":   func(l *slog.Logger) { l.Info("x", "url", "https://x.example/?sig="+v) },
		"group":   func(l *slog.Logger) { l.Info("x", slog.Group("a", slog.Group("b", slog.String("refreshToken", v)))) },
		"named":   func(l *slog.Logger) { l.Info("x", slog.Group("credentials", slog.String("value", v))) },
		"with":    func(l *slog.Logger) { l.With("password", v).WithGroup("g").With("id_token", v).Info("x", "cookie", v) },
		"valuer":  func(l *slog.Logger) { l.Info("x", "config", valuer{v}) },
		"error":   func(l *slog.Logger) { l.Error("x", "err", fmt.Errorf("boom: %w", errors.New("token="+v))) },
		"header":  func(l *slog.Logger) { l.Info("x", "header", header) },
		"form":    func(l *slog.Logger) { l.Info("x", "form", url.Values{"code_verifier": {v}}) },
		"struct": func(l *slog.Logger) {
			l.Info("x", "config", struct{ ClientID, ClientSecret string }{"id", v}, "p", &struct{ Password any }{[]int{1}})
		},
		"map":   func(l *slog.Logger) { l.Info("x", "answer", map[string]any{"access_token": v, "n": 12345678901234567}) },
		"bytes": func(l *slog.Logger) { l.Info("x", "body", []byte(`{"access_token":"`+v+`"}`)) },
		"func": func(l *slog.Logger) {
			l.Info("x", "v", struct {
				F        func()
				Password string
			}{nil, v})
		},
		"secret": func(l *slog.Logger) {
			l.Info("x", "v", auth.NewSecret(v), "s", struct{ S auth.Secret }{auth.NewSecret(v)})
		},
		"number": func(l *slog.Logger) { l.Info("x", "password", 123456, "pin_password", json.Number("123456")) },
		"panic":  func(l *slog.Logger) { l.Info("x", "err", broken{}, "password", v) },
	} {
		for kind, handler := range map[string]func(io.Writer) slog.Handler{
			"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, &slog.HandlerOptions{AddSource: true}) },
			"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				var out bytes.Buffer
				var redactor auth.Redactor
				log(slog.New(redactor.Handler(handler(&out))))
				if text := out.String(); strings.Contains(text, "c4n4ry") || strings.Contains(text, "123456 ") || !strings.Contains(text, "REDACTED") {
					t.Error(text)
				}
				if kind == "json" && !json.Valid(out.Bytes()) {
					t.Error("not JSON")
				}
			})
		}
	}
}

func TestRedactingHandlerKeepsTheRest(t *testing.T) {
	var out bytes.Buffer
	var redactor auth.Redactor
	log := slog.New(redactor.Handler(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
	log.Debug("not this")
	log.Info("done", "n", 7, "took", time.Second, "ok", true, "list", []string{"a", "b"}, "big", map[string]int64{"id": 9007199254740993}, "nothing", nil)
	for _, want := range []string{`"n":7`, `"ok":true`, `"list":["a","b"]`, `"id":9007199254740993`, `"nothing":null`, `"took":1000000000`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "not this") {
		t.Error("the level was lost")
	}
}

func TestRedactedError(t *testing.T) {
	var redactor auth.Redactor
	inner := fmt.Errorf("Get https://x.example/?sig=c4n4ry: %w", context.DeadlineExceeded)
	err := redactor.Error(inner)
	if !errors.Is(err, context.DeadlineExceeded) || redactor.Error(nil) != nil {
		t.Error("the error lost what it is")
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %#v %q", err, err, err, err), fmt.Sprintf("%#v", fmt.Errorf("x: %w", err))} {
		if strings.Contains(text, "c4n4ry") {
			t.Error(text)
		}
	}
}

const (
	cleanLine = `time=2026-03-01T12:00:00.000Z level=INFO msg="tool called" tool=m365_mail_search user=alex duration=12ms`
	dirtyLine = `Post "https://login.example/token": form client_id=abc&client_secret=Zq7~canary0Zq7&refresh_token=0.AXoAdeadbeefdeadbeefdeadbeef, header Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl`
)

func BenchmarkRedactorClean(b *testing.B) {
	var redactor auth.Redactor
	b.ReportAllocs()
	for b.Loop() {
		if len(redactor.String(cleanLine)) != len(cleanLine) {
			b.Fatal("redacted")
		}
	}
}

func BenchmarkRedactorDirty(b *testing.B) {
	var redactor auth.Redactor
	b.ReportAllocs()
	for b.Loop() {
		if !strings.Contains(redactor.String(dirtyLine), "[REDACTED]") {
			b.Fatal("not redacted")
		}
	}
}
