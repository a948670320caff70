package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// page is one of our own texts. Nothing of a request appears on it.
type page struct {
	Title, Text string
	Link, Label string // where to go on, if anywhere
	Post        bool   // go on by a form
	Refresh     bool   // go on by itself
}

const style = `:root{color-scheme:light dark}` +
	`body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;background:#f6f7f9;color:#1c2733}` +
	`main{background:#fff;padding:2.5rem 3rem;border-radius:12px;box-shadow:0 2px 16px rgba(20,30,50,.1);max-width:26rem;margin:1rem}` +
	`h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:0}` +
	`a,button{display:inline-block;margin-top:1.5rem;padding:.6rem 1.4rem;border:0;border-radius:8px;background:#1f5fbf;color:#fff;font:inherit;text-decoration:none;cursor:pointer}` +
	`a:focus-visible,button:focus-visible{outline:3px solid #8fb8f5;outline-offset:2px}` +
	`@media(prefers-color-scheme:dark){body{background:#12161c;color:#e6eaf0}main{background:#1c232d}}`

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
{{- if .Refresh}}<meta http-equiv="refresh" content="0;url={{.Link}}">{{end -}}
<title>{{.Title}}</title><style>` + style + `</style></head>
<body><main><h1>{{.Title}}</h1><p>{{.Text}}</p>
{{- if .Post}}<form method="post" action="{{.Link}}"><button>{{.Label}}</button></form>
{{- else if .Link}}<a href="{{.Link}}">{{.Label}}</a>{{end -}}
</main></body></html>
`))

// write sends the page. Only its own style and form are allowed by its policy.
func (p page) write(w http.ResponseWriter, status int) {
	sum := sha256.Sum256([]byte(style))
	form, referrer := "'none'", "no-referrer"
	if p.Post {
		// With no-referrer, browsers send a form's origin as "null".
		form, referrer = "'self'", "same-origin"
	}
	h := w.Header()
	setHeaders(h)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action "+form+"; frame-ancestors 'none'")
	h.Set("Referrer-Policy", referrer)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, p) // a browser that left is nobody to tell
}
