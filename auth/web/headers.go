package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/page"
)

// HeaderOptions say which headers [Headers] sets beyond the usual.
type HeaderOptions struct {
	// HSTS is for how long browsers shall use TLS only, here and on all
	// subdomains (RFC 6797): default one year. It is sent over TLS only.
	// Negative sends none.
	HSTS time.Duration
	// Proxies in front of the server, for knowing what TLS is.
	Proxies Proxies
	// AllowCaching leaves Cache-Control to the handler. Without it, nothing is
	// stored.
	AllowCaching bool
}

// Headers returns middleware that sets the security headers of every answer,
// before the handler, which can replace them: Content-Security-Policy (nothing
// may be loaded or framed), Strict-Transport-Security, X-Frame-Options,
// X-Content-Type-Options, Referrer-Policy, Cross-Origin-Opener-Policy,
// Cross-Origin-Resource-Policy and Cache-Control. Pages, such as those of
// [SignIn], replace the first by their own.
//
// https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
func Headers(options HeaderOptions) func(http.Handler) http.Handler {
	if options.HSTS == 0 {
		options.HSTS = 365 * 24 * time.Hour
	}
	transport := "max-age=" + strconv.FormatInt(int64(options.HSTS/time.Second), 10) + "; includeSubDomains"
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page.Protect(w.Header())
			if !options.AllowCaching {
				w.Header().Set("Cache-Control", "no-store")
			}
			if options.HSTS > 0 && options.Proxies.Secure(r) {
				w.Header().Set("Strict-Transport-Security", transport)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TLSOptions say how strict [RequireTLS] is.
type TLSOptions struct {
	// Proxies in front of the server, whose word on TLS counts.
	Proxies Proxies
	// AllowLoopback lets requests pass that were made on this machine, to a
	// loopback name, and through no proxy: for development.
	AllowLoopback bool
}

// RequireTLS returns middleware that answers requests without TLS with 421
// (Misdirected Request) and does nothing else with them. They are not
// redirected: what they carried has been readable already, and a client that
// is redirected goes on making the mistake.
func RequireTLS(options TLSOptions) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if excepted := options.AllowLoopback && local(r); !excepted && !options.Proxies.Secure(r) {
				page.Protect(w.Header())
				w.Header().Set("Cache-Control", "no-store")
				w.Header().Set("Connection", "close")
				http.Error(w, "this server is to be used with https", http.StatusMisdirectedRequest)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// LimitBody returns middleware that refuses request bodies of more than limit
// bytes: with 413 if the request says so beforehand, otherwise by an
// [http.MaxBytesError] to the handler that reads beyond.
func LimitBody(limit int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > limit {
				w.Header().Set("Connection", "close")
				http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
				return
			}
			http.MaxBytesHandler(next, limit).ServeHTTP(w, r)
		})
	}
}
