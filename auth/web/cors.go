package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// CORSOptions say which pages may call the server from a browser.
type CORSOptions struct {
	// Origins admitted, letter by letter, such as "https://app.example": there
	// are no wildcards. Include the server's own if it has pages that post.
	Origins []string
	// Methods admitted beyond GET, HEAD and POST.
	Methods []string
	// Headers that a page may send, such as "Authorization".
	Headers []string
	// Exposed are headers of an answer that a page may read.
	Exposed []string
	// AllowCredentials lets pages send cookies.
	AllowCredentials bool
	// MaxAge is how long a browser may remember the answer: default ten minutes.
	MaxAge time.Duration
}

// CORS returns middleware that admits the listed origins, by the Fetch
// standard's protocol, and answers requests of all other origins with 403
// before the handler runs, as the MCP transport wants it against DNS
// rebinding. Requests without an Origin, which do not come from pages of other
// sites that could read the answer, pass. It returns an error for an origin
// that is not one, "*" and "null" among them.
func CORS(options CORSOptions) (func(http.Handler) http.Handler, error) {
	for _, o := range options.Origins {
		if err := checkOrigin(o); err != nil {
			return nil, err
		}
	}
	if slices.Contains(slices.Concat(options.Methods, options.Headers, options.Exposed), "*") {
		return nil, errors.New("web: methods and headers must be listed, not *")
	}
	if options.MaxAge == 0 {
		options.MaxAge = 10 * time.Minute
	}
	options.Origins = slices.Clone(options.Origins)
	c := cors{
		CORSOptions: options,
		methods:     strings.Join(slices.Concat([]string{"GET", "HEAD", "POST"}, options.Methods), ", "),
		headers:     strings.Join(options.Headers, ", "),
		exposed:     strings.Join(options.Exposed, ", "),
		maxAge:      strconv.Itoa(int(options.MaxAge / time.Second)),
	}
	return c.wrap, nil
}

func checkOrigin(text string) error {
	u, err := url.Parse(text)
	if err == nil {
		_, err = origin.Of(u)
	}
	// A browser writes it in small letters, without a path or a default port.
	if err != nil || text != u.Scheme+"://"+u.Host || text != strings.ToLower(text) ||
		strings.HasSuffix(text, ":") || strings.Contains(text, "*") || u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return fmt.Errorf("web: %q is not an origin as browsers write it, such as https://app.example", text)
	}
	return nil
}

type cors struct {
	CORSOptions
	methods, headers, exposed, maxAge string
}

func (c cors) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		from := r.Header.Values("Origin")
		if len(from) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if len(from) > 1 || !slices.Contains(c.Origins, from[0]) {
			http.Error(w, "this origin is not admitted", http.StatusForbidden)
			return
		}
		h.Set("Access-Control-Allow-Origin", from[0])
		if c.AllowCredentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", c.methods)
			if c.headers != "" {
				h.Set("Access-Control-Allow-Headers", c.headers)
			}
			h.Set("Access-Control-Max-Age", c.maxAge)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if c.exposed != "" {
			h.Set("Access-Control-Expose-Headers", c.exposed)
		}
		next.ServeHTTP(w, r)
	})
}
