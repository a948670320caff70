package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
)

// canned is an upstream that costs next to nothing, so that what is measured is
// the server: it replies the bytes with which the fake answers a search for ten
// messages. It speaks just enough HTTP for that: requests without a body, one
// after the other on each connection.
type canned struct {
	url, token         string
	messages, settings []byte // whole responses
}

func newCanned(t testing.TB) canned {
	t.Helper()
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	c := canned{url: base + "/v1.0", token: fake.Token()}
	messages := record(t, fake.URL()+"/me/messages?$top=10&$select=id,receivedDateTime,from,subject,bodyPreview,isRead,flag,hasAttachments,importance,isDraft", c.token)
	// Links must lead back to where the request went.
	c.messages = response(bytes.ReplaceAll(messages, []byte(strings.TrimSuffix(fake.URL(), "/v1.0")), []byte(base)))
	c.settings = response(record(t, fake.URL()+"/me/mailboxSettings?$select=timeZone", c.token))

	var serving sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			closing := context.AfterFunc(ctx, func() { _ = conn.Close() })
			serving.Go(func() {
				defer closing()
				c.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		stop()
		serving.Wait()
	})
	return c
}

func response(body []byte) []byte {
	return append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
}

// serve answers the requests of one connection until it ends.
func (c canned) serve(conn net.Conn) {
	defer conn.Close()
	requests := bufio.NewReader(conn)
	for {
		line, err := requests.ReadSlice('\n')
		if err != nil {
			return
		}
		answer := c.messages
		if bytes.Contains(line, []byte("/mailboxSettings")) {
			answer = c.settings
		}
		for len(line) > len("\r\n") { // the header
			if line, err = requests.ReadSlice('\n'); err != nil {
				return
			}
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func record(t testing.TB, address, token string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.ReplaceAll(address, " ", "%20"), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", response.StatusCode, err, body)
	}
	return body
}

// environment is that of a server which uses the upstream as Microsoft Graph,
// and has a HaloPSA that it never calls.
func (c canned) environment(t testing.TB) []string {
	return serverEnvironment(t, "M365_ACCESS_TOKEN="+c.token, "M365_GRAPH_URL="+c.url,
		"HALO_URL=https://psa.example", "HALO_CLIENT_ID=id", "HALO_CLIENT_SECRET=secret")
}
