// Package page writes the few pages that a person sees while signing in: one
// card with a sentence and perhaps a button. They run no scripts, load
// nothing, cannot be framed, and show nothing of the request.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strings"
)

// Page is a text of our own.
type Page struct {
	Title, Text string
	// Link is where to go on, if anywhere: a path. Label is what the button says.
	Link, Label string
	Post        bool // go on by a form
	Refresh     bool // go on without being asked
}

const style = `:root{color-scheme:light dark}` +
	`body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;background:#f6f7f9;color:#1c2733}` +
	`main{background:#fff;padding:2.5rem 3rem;border-radius:12px;box-shadow:0 2px 16px rgba(20,30,50,.1);max-width:26rem;margin:1rem}` +
	`h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:0}` +
	`a,button{display:inline-block;margin-top:1.5rem;padding:.6rem 1.4rem;border:0;border-radius:8px;background:#1f5fbf;color:#fff;font:inherit;text-decoration:none;cursor:pointer}` +
	`a:focus-visible,button:focus-visible{outline:3px solid #8fb8f5;outline-offset:2px}` +
	`@media(prefers-color-scheme:dark){body{background:#12161c;color:#e6eaf0}main{background:#1c232d}}`

// Protect sets the headers that every answer should have which is no page, or
// whose page then says what it needs.
//
// https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
func Protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// Write answers with the page. Its policy allows its own style, and its own
// form if it has one.
func (p Page) Write(w http.ResponseWriter, status int) {
	sum := sha256.Sum256([]byte(style))
	form := "'none'"
	h := w.Header()
	Protect(h)
	if p.Post {
		form = "'self'"
		h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers call the form's origin "null"
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action "+form+"; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, p.html()) // a browser that left is nobody to tell
}

func (p Page) html() string {
	title, link := html.EscapeString(p.Title), html.EscapeString(p.Link)
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`)
	if p.Refresh {
		b.WriteString(`<meta http-equiv="refresh" content="0;url=` + link + `">`)
	}
	b.WriteString(`<title>` + title + `</title><style>` + style + `</style></head><body><main><h1>` + title + `</h1><p>` + html.EscapeString(p.Text) + `</p>`)
	switch {
	case p.Post:
		b.WriteString(`<form method="post" action="` + link + `"><button>` + html.EscapeString(p.Label) + `</button></form>`)
	case p.Link != "":
		b.WriteString(`<a href="` + link + `">` + html.EscapeString(p.Label) + `</a>`)
	}
	b.WriteString("</main></body></html>\n")
	return b.String()
}
