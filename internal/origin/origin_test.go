package origin_test

import (
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

func ExampleOf() {
	a, _ := url.Parse("https://Graph.Microsoft.com/v1.0")
	b, _ := url.Parse("https://graph.microsoft.com:443/beta")
	first, err1 := origin.Of(a)
	second, err2 := origin.Of(b)
	fmt.Println(first == second, err1, err2)
	// Output: true <nil> <nil>
}

func TestOf(t *testing.T) {
	home, err := origin.Of(&url.URL{Scheme: "https", Host: "graph.microsoft.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		url  string
		same bool
		err  error
	}{
		{"https://graph.microsoft.com/x?y", true, nil},
		{"HTTPS://GRAPH.MICROSOFT.COM:443", true, nil},
		{"https://graph.microsoft.com.evil.example", false, nil},
		{"https://graph.microsoft.com.", false, nil},
		{"https://graph.microsoft.com:8443", false, nil},
		{"https://evil.example/graph.microsoft.com", false, nil},
		{"https://graph.microsoft.com@evil.example", false, origin.ErrNotPlain},
		{"https://user:pass@graph.microsoft.com", false, origin.ErrNotPlain},
		{"https:graph.microsoft.com", false, origin.ErrNotPlain},
		{"https:///path", false, origin.ErrNotPlain},
		{"http://graph.microsoft.com", false, origin.ErrInsecure},
		{"ftp://graph.microsoft.com", false, origin.ErrInsecure},
		{"http://127.0.0.1:8080", false, nil},
		{"http://[::1]:8080", false, nil},
		{"http://localhost", false, nil},
		{"http://localhost.evil.example", false, origin.ErrInsecure},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := origin.Of(u)
		if !errors.Is(err, test.err) || (got == home) != test.same {
			t.Errorf("%s: %v %v", test.url, got == home, err)
		}
	}
}
