package resilience_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// A name that leads to the metadata service of a cloud is not asked twice, and
// not asked at all.
func TestPrivateAddressIsFinal(t *testing.T) {
	base := resilience.NewBase()
	dials := 0
	guarded := base.DialContext
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		dials++
		return guarded(ctx, network, "169.254.169.254:443") // what the name resolved to
	}
	transport, err := resilience.New(resilience.Options{Hosts: []string{"https://psa.example"}, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://psa.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if response != nil {
		response.Body.Close()
	}
	if !errors.Is(err, resilience.ErrPrivateAddress) || dials != 1 {
		t.Errorf("%d attempts, %v", dials, err)
	}
}
