package rediskv_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/rediskv"
	"github.com/msptoolbelt/toolbelt/resilience"
)

func ExampleNew() {
	server := miniredis.NewMiniRedis() // in place of a real one
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = client.Close() }()

	keys, err := auth.NewKeyring(auth.NewKey()) // a real one comes from a secret store
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := auth.NewStore(rediskv.New(client, "toolbelt:"), keys, auth.StoreOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := auth.StoreKey{Issuer: "https://login.example", ClientID: "portal", Subject: "ann"}
	if err := store.Save(context.Background(), &auth.Record{Key: key, RefreshToken: auth.NewSecret("…")}); err != nil {
		fmt.Println(err)
		return
	}
	record, err := store.Load(context.Background(), key)
	fmt.Println(record.Key.Subject, record.RefreshToken, err)
	// Output: ann [REDACTED] <nil>
}

// Two replicas of a server keep to what the API asked of one of them.
func ExampleNew_sharedLimits() {
	server := miniredis.NewMiniRedis() // in place of a real one
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = client.Close() }()

	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "300")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer busy.Close()

	for _, replica := range []string{"one", "two"} {
		transport, err := resilience.New(resilience.Options{
			Hosts:  []string{busy.URL},
			Shared: rediskv.New(client, "toolbelt:"),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		ctx := context.Background()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, busy.URL, http.NoBody)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			_, throttled := errors.AsType[*resilience.ThrottledError](err)
			fmt.Println(replica, "did not ask: throttled", throttled)
			continue
		}
		_ = resp.Body.Close()
		fmt.Println(replica, "asked:", resp.Status)
	}
	// Output:
	// one asked: 429 Too Many Requests
	// two did not ask: throttled true
}
