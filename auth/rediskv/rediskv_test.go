package rediskv_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
	"github.com/msptoolbelt/toolbelt/auth/rediskv"
)

func connect(t testing.TB, address string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// The fake's clock stands still unless it is told: this one runs.
func fake(t testing.TB) string {
	t.Helper()
	server, err := miniredis.Run()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		last := time.Now()
		for {
			select {
			case <-done:
				return
			case now := <-time.After(5 * time.Millisecond):
				server.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	t.Cleanup(func() {
		close(done)
		<-stopped
		server.Close()
	})
	return server.Addr()
}

// real starts a redis-server on loopback.
func real(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("TOOLBELT_REQUIRE_REDIS") != "" {
			t.Fatal("TOOLBELT_REQUIRE_REDIS is set, and redis-server is not installed")
		}
		t.Skip("NOT TESTED against a real Redis: redis-server is not installed")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	var output bytes.Buffer
	server := exec.CommandContext(t.Context(), program, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--dir", t.TempDir())
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the test's context ends it
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	client := connect(t, address)
	for range 100 {
		if client.Ping(t.Context()).Err() == nil {
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("redis-server does not answer: %s", output.String())
	return ""
}

func contract(t *testing.T, address string) {
	authtest.TestKV(t, func() auth.KV { return rediskv.New(connect(t, address), "test:") })
}

func TestContractFake(t *testing.T) { contract(t, fake(t)) }

func TestContractRealServer(t *testing.T) { contract(t, real(t)) }

// Prefixes keep applications apart.
func TestPrefix(t *testing.T) {
	client := connect(t, fake(t))
	one, two := rediskv.New(client, "one:"), rediskv.New(client, "two:")
	if ok, err := one.CompareAndSwap(t.Context(), "id", nil, []byte("1"), time.Hour); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if value, err := two.Get(t.Context(), "id"); value != nil || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if err := two.Delete(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	if value, err := one.Get(t.Context(), "id"); string(value) != "1" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if ttl := client.PTTL(t.Context(), "one:id").Val(); ttl < 50*time.Minute || ttl > time.Hour {
		t.Errorf("life %v, want an hour", ttl)
	}
}

// A server that is gone is an error, not an absent record: nobody is signed out.
func TestServerGone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	kv := rediskv.New(redis.NewClient(&redis.Options{Addr: listener.Addr().String(), MaxRetries: -1}), "")
	if value, err := kv.Get(t.Context(), "id"); value != nil || err == nil {
		t.Errorf("%q, %v", value, err)
	}
	if ok, err := kv.CompareAndSwap(t.Context(), "id", nil, []byte("v"), 0); ok || err == nil {
		t.Errorf("%v, %v", ok, err)
	}
	if err := kv.Delete(t.Context(), "id"); err == nil {
		t.Error("deleted")
	}
}

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
