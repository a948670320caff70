package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// line is a made-up line of a log, and what must not be left of it.
type line struct {
	text   string
	secret string
}

const (
	alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b64u  = alnum + "-_"
	lower = "abcdefghijklmnopqrstuvwxyz0123456789"
)

func random(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// The kinds of secrets, in their real alphabets and lengths.
var secretKinds = []func(*rand.Rand) string{
	jwtLike,
	func(r *rand.Rand) string { // Entra's refresh tokens and codes
		return []string{"0.A", "1.A"}[r.IntN(2)] + random(r, b64u, 60+r.IntN(300)) + "." + random(r, b64u, 40+r.IntN(200))
	},
	func(r *rand.Rand) string { // those of Microsoft accounts
		return []string{"M.C5", "M.R3", "M.C107"}[r.IntN(3)] + "_" + random(r, "BLSN12", 3) + ".0.U." + random(r, alnum+"*!$-_", 80+r.IntN(200))
	},
	func(r *rand.Rand) string { // Entra's client secrets
		return random(r, alnum, 3) + "8Q~" + random(r, b64u+".~", 34)
	},
	func(r *rand.Rand) string { return random(r, b64u, 43+r.IntN(43)) },    // oidc-provider, Halo's refresh tokens
	func(r *rand.Rand) string { return random(r, "0123456789ABCDEF", 64) }, // IdentityServer's codes
	func(r *rand.Rand) string { return uuid(r) + "-" + uuid(r) },           // Halo's client secrets and API keys
	func(r *rand.Rand) string {
		return base64.StdEncoding.EncodeToString([]byte(random(r, alnum, 32+r.IntN(40))))
	},
}

func jwtLike(r *rand.Rand) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"RS256","kid":"` + random(r, alnum, 8) + `"}`))
	payload := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"aud":"00000003-0000-0000-c000-000000000000","upn":"%s@contoso.example"}`, random(r, lower, 8)))
	return header + "." + payload + "." + random(r, b64u, 60+r.IntN(280))
}

func uuid(r *rand.Rand) string {
	h := random(r, "0123456789abcdef", 32)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// short secrets are only recognisable by the field that they stand in.
func shortSecret(r *rand.Rand) string { return random(r, alnum+"-._~", 6+r.IntN(20)) }

var fieldNames = []string{
	"client_secret", "client_assertion", "code_verifier", "refresh_token", "access_token", "id_token", "assertion", "password",
	"device_code", "clientSecret", "ClientSecret", "refreshToken", "HALO_CLIENT_SECRET", "client-secret", "api_key", "apiKey",
	"authtoken", "tempauth", "sig", "X-Halo-Api-Key", "id_token_hint", "subject_token", "actor_token", "Passwd", "private_key",
}

func queryEscape(s string) string { return url.QueryEscape(s) }

func jsonText(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// The shapes in which a named value travels.
var fieldShapes = []func(r *rand.Rand, name, v string) string{
	func(r *rand.Rand, name, v string) string { // a form
		return "grant_type=refresh_token&" + name + "=" + queryEscape(v) + "&client_id=" + uuid(r)
	},
	func(r *rand.Rand, name, v string) string { return name + "=" + queryEscape(v) },
	func(r *rand.Rand, name, v string) string { // JSON
		return jsonText(map[string]any{name: v, "expires_in": 3600, "scope": "openid"})
	},
	func(r *rand.Rand, name, v string) string { return `{ "` + name + `" : "` + v + `", "a": 1 }` },
	func(r *rand.Rand, name, v string) string { // JSON in strings in strings
		text := jsonText(map[string]any{name: v, "token_type": "Bearer"})
		for range 1 + r.IntN(3) {
			text = strconv.Quote(text)
		}
		return "body=" + text
	},
	func(r *rand.Rand, name, v string) string { // cut off in the middle
		text := jsonText(map[string]string{"error": "x", name: v})
		return text[:len(text)-2-r.IntN(3)]
	},
	func(r *rand.Rand, name, v string) string { // a URL
		return `Get "https://contoso.sharepoint.com/_layouts/15/download.aspx?UniqueId=` + uuid(r) + "&" + name + "=" + queryEscape(v) + `&ApiVersion=2.0": EOF`
	},
	func(r *rand.Rand, name, v string) string { // a URL in a URL
		return "https://login.example/?redirect=" + queryEscape("https://a.example/cb?x=1&"+name+"="+queryEscape(v)+"&y=2") + "&z=3"
	},
	func(r *rand.Rand, name, v string) string {
		return "https://x.example/?r=" + queryEscape("https://login.example/?redirect="+queryEscape("https://a.example/cb?"+name+"="+queryEscape(v)+"&y=2"))
	},
	func(r *rand.Rand, name, v string) string {
		return fmt.Sprintf("form: %v", url.Values{name: {v}, "a": {"b"}})
	},
	func(r *rand.Rand, name, v string) string {
		return fmt.Sprintf("form: %#v", url.Values{name: {v}, "a": {"b"}})
	},
	func(r *rand.Rand, name, v string) string { return jsonText(url.Values{name: {v, v}, "a": {"b"}}) },
	func(r *rand.Rand, name, v string) string { return "using {" + name + ":" + v + " Expiry:0001-01-01}" },
	func(r *rand.Rand, name, v string) string { return name + `: (string) (len=12) "` + v + `"` },
	func(r *rand.Rand, name, v string) string { return "<" + name + ">" + v + "</" + name + ">" },
	func(r *rand.Rand, name, v string) string {
		return `<input type="hidden" name="` + name + `" value="` + html.EscapeString(v) + `"/>`
	},
	func(r *rand.Rand, name, v string) string {
		return "<pre>" + html.EscapeString(jsonText(map[string]string{name: v})) + "</pre>"
	},
	func(r *rand.Rand, name, v string) string { return "--" + name + " " + v + " --verbose" },
	func(r *rand.Rand, name, v string) string { return "--" + name + "='" + v + "'" },
	func(r *rand.Rand, name, v string) string { return name + ": " + v + "\r\nAccept: */*\r\n" },
	func(r *rand.Rand, name, v string) string { return `{"name":"` + name + `","value":"` + v + `"}` },
	func(r *rand.Rand, name, v string) string {
		return "Content-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + v + "\r\n--boundary--"
	},
	func(r *rand.Rand, name, v string) string {
		b, err := json.Marshal("a=1&" + name + "=" + v + "&b=2") // & becomes \u0026
		if err != nil {
			panic(err)
		}
		return string(b)
	},
	func(r *rand.Rand, name, v string) string { return name + " = \"" + v + "\"" },
	func(r *rand.Rand, name, v string) string { return "env: " + name + "=" + v + ", PATH=/bin" },
}

// The shapes that give a secret away without a name before it.
var bareShapes = []func(r *rand.Rand, v string) string{
	func(r *rand.Rand, v string) string { return "Authorization: Bearer " + v },
	func(r *rand.Rand, v string) string { return fmt.Sprint(http.Header{"Authorization": {"Bearer " + v}}) },
	func(r *rand.Rand, v string) string {
		return fmt.Sprintf("%#v", http.Header{"Authorization": {"Bearer " + v}})
	},
	func(r *rand.Rand, v string) string { return jsonText(http.Header{"Authorization": {"Bearer " + v}}) },
	func(r *rand.Rand, v string) string {
		return strconv.Quote("GET / HTTP/1.1\r\nauthorization: bearer " + v + "\r\nHost: x\r\n")
	},
	func(r *rand.Rand, v string) string {
		return "curl -H 'Authorization: Bearer " + v + "' https://graph.microsoft.com"
	},
	func(r *rand.Rand, v string) string { return "sent Bearer " + v + " twice" },
	func(r *rand.Rand, v string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("id:"+v))
	},
	func(r *rand.Rand, v string) string {
		return "with basic " + base64.StdEncoding.EncodeToString([]byte("id:"+v))
	},
	func(r *rand.Rand, v string) string { return "Cookie: theme=dark; session=" + v + "; a=b\r\nHost: x" },
	func(r *rand.Rand, v string) string { return "Set-Cookie: __Host-s=" + v + "; Path=/; Secure; HttpOnly" },
	func(r *rand.Rand, v string) string {
		return fmt.Sprint(http.Header{"Cookie": {"s=" + v}, "Accept": {"*/*"}})
	},
	func(r *rand.Rand, v string) string {
		return "dial https://svc:" + queryEscape(v) + "@db.example:5432/x?y=1 failed"
	},
	func(r *rand.Rand, v string) string {
		return "http://127.0.0.1:8080/?code=" + queryEscape(v) + "&state=abc"
	},
	func(r *rand.Rand, v string) string {
		return "code=" + queryEscape(v) + "&redirect_uri=http%3A%2F%2Flocalhost"
	},
	func(r *rand.Rand, v string) string {
		return fmt.Sprintf("%+v", oauth2.Token{AccessToken: v, TokenType: "Bearer"})
	},
	func(r *rand.Rand, v string) string {
		return fmt.Sprintf("%#v", oauth2.Config{ClientID: uuid(r), ClientSecret: v})
	},
	func(r *rand.Rand, v string) string {
		return "-----BEGIN PRIVATE KEY-----\n" + v + "\n" + v + "\n-----END PRIVATE KEY-----"
	},
	func(r *rand.Rand, v string) string {
		return "panic: unexpected answer: {\"access_token\":\"" + v + "\"}\n\ngoroutine 17 [running]:\ngithub.com/msptoolbelt/toolbelt/auth.(*Source).fly(0xc000112000)\n\t/src/auth/source.go:183 +0x1d4"
	},
}

// noise is put around: what real lines have before and after.
var noise = []string{
	"", "time=2026-03-01T12:00:00.000Z level=ERROR msg=\"token request failed\" attempt=3 err=", "oauth2: cannot fetch token: 400 Bad Request\nResponse: ",
	"2026/03/01 12:00:00 POST /tenant/oauth2/v2.0/token 401 ", "AADSTS7000215: Invalid client secret provided. ", "\tat System.Net.Http.Send() in C:\\token\\", "[debug] ", "(", "msg='",
}

// wrappers write a line into another one, as loggers and errors do.
var wrappers = []func(string) string{
	func(text string) string { return "level=INFO msg=" + strconv.Quote(text) + " attempt=1" },
	func(text string) string { return jsonText(map[string]any{"level": "INFO", "msg": text}) },
	func(text string) string { return fmt.Sprintf("failed: %#v", []string{text, "x"}) },
	func(text string) string { return fmt.Sprintf("failed: %v", []string{"x", text}) },
	func(text string) string { return "<td>" + html.EscapeString(text) + "</td>" },
}

func madeUpLine(r *rand.Rand) line {
	secret := secretKinds[r.IntN(len(secretKinds))](r)
	var text string
	switch r.IntN(10) {
	case 0, 1, 2: // short ones, by name
		secret = shortSecret(r)
		fallthrough
	case 3, 4, 5, 6:
		name := fieldNames[r.IntN(len(fieldNames))]
		switch r.IntN(6) {
		case 0:
			name = strings.ToUpper(name)
		case 1:
			name = strings.ToLower(name)
		}
		text = fieldShapes[r.IntN(len(fieldShapes))](r, name, secret)
	case 7, 8:
		text = bareShapes[r.IntN(len(bareShapes))](r, secret)
	default: // nothing but its own look
		text = "got " + secretKinds[r.IntN(7)](r)
		secret = strings.Fields(text)[1]
		text += []string{"", ".", ", again", "\"", " (cached)"}[r.IntN(5)]
	}
	text = noise[r.IntN(len(noise))] + text
	if r.IntN(8) == 0 { // as loggers write them
		text = wrappers[r.IntN(len(wrappers))](text)
	}
	return line{text, secret}
}

// left reports a part of the secret that is still in text: eight characters of
// it in a row, plain or percent-encoded, or all of a shorter one.
func left(text, secret string) string {
	const part = 8
	for _, form := range []string{secret, queryEscape(secret)} {
		if len(form) <= part {
			if strings.Contains(text, form) {
				return form
			}
			continue
		}
		for i := 0; i+part <= len(form); i++ {
			if strings.Contains(text, form[i:i+part]) {
				return form[i : i+part]
			}
		}
	}
	return ""
}

// TestRedactorFuzzedLines takes every credential out of made-up lines: 20,000
// that are always the same, or as many as TOOLBELT_REDACT_LINES says (1000000
// in .ci/run), other ones each time. TOOLBELT_REDACT_SEED repeats a failure.
func TestRedactorFuzzedLines(t *testing.T) {
	lines, seed := 20_000, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("TOOLBELT_REDACT_LINES")); err == nil {
		lines, seed = n, rand.Uint64()
	}
	if n, err := strconv.ParseUint(os.Getenv("TOOLBELT_REDACT_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("%d lines, TOOLBELT_REDACT_SEED=%d", lines, seed)
	var redactor auth.Redactor
	const workers = 8 // on any machine, for the same lines
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(worker)))
			leaks := 0
			for range lines / workers {
				made := madeUpLine(r)
				clean := redactor.String(made.text)
				if part := left(clean, made.secret); part != "" {
					t.Errorf("%q is left of %q:\n in %s\nout %s", part, made.secret, made.text, clean)
					if leaks++; leaks > 5 {
						return
					}
				}
				if again := redactor.String(clean); again != clean {
					t.Errorf("not stable:\n%s\n%s", clean, again)
					return
				}
			}
		})
	}
	all.Wait()
}

func FuzzRedactor(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		f.Add(madeUpLine(r).text)
	}
	f.Add("client_secret=[REDACTED]")
	f.Add(`Authorization: `)
	f.Add(`%25`)
	f.Fuzz(func(t *testing.T, text string) {
		var redactor auth.Redactor
		_ = redactor.String(text) // any text: no panic, no endless loop
		const canary = "Zq7canary0Zq7canary0"
		for _, around := range []string{text + "\n&client_secret=" + canary, `{"client_secret":"` + canary + `"}` + text} {
			if out := redactor.String(around); strings.Contains(out, canary) {
				t.Errorf("in %q\nout %q", around, out)
			}
		}
	})
}
