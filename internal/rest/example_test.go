package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/resilience"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"path":%q}`, r.URL.EscapedPath())
	}))
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := rest.Stack(base, nil, resilience.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()
	service := &rest.Service{Name: "The service", Base: base, Client: client}

	path, err := rest.Path("/things/{}", "7 of 9")
	if err != nil {
		fmt.Println(err)
		return
	}
	var thing struct{ Path string }
	_, err = service.Do(context.Background(), rest.Request{Method: http.MethodGet, Path: path}, &thing)
	fmt.Println(thing.Path, err)

	_, err = rest.Path("/things/{}", "../people")
	fmt.Println(err)
	// Output:
	// /things/7%20of%209 <nil>
	// invalid_arguments: an id has a slash
	// What to do: use an id exactly as another call returned it
}
