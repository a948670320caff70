package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

const (
	// stopTime is how long calls in flight may take to notice the end.
	stopTime = 3 * time.Second
	// sessionTimeout ends sessions that a client abandoned.
	sessionTimeout = 30 * time.Minute
	// statelessVersion is the first protocol version without sessions.
	statelessVersion = "2026-07-28"
	// maxRequestBytes has room for the largest file that a tool takes, in base64.
	maxRequestBytes = 16 << 20
)

func newServer(systems []system, tools mcptools.Set) *mcp.Server {
	var instructions []string
	for _, s := range systems {
		instructions = append(instructions, s.instructions)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "toolbelt", Title: "Microsoft 365 and HaloPSA", Version: "0.1.0"},
		&mcp.ServerOptions{Instructions: strings.Join(instructions, "\n"), Capabilities: &mcp.ServerCapabilities{}})
	tools.Register(server)
	return server
}

// endCalls lets calls end when ctx does. The SDK waits for them without telling
// them, so one slow call would keep the process alive.
func endCalls(ctx context.Context, server *mcp.Server) {
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(callCtx context.Context, method string, request mcp.Request) (mcp.Result, error) {
			callCtx, cancel := context.WithCancel(callCtx)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			return next(callCtx, method, request)
		}
	})
}

func serveStdio(ctx context.Context, server *mcp.Server) error {
	endCalls(ctx, server)
	transport, restore := stdio()
	defer restore()
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, transport) }()
	select {
	case err := <-ended:
		return unlessDone(ctx, err)
	case <-ctx.Done():
	}
	// A read from a terminal cannot be interrupted; the process ends with it
	// under way.
	select {
	case err := <-ended:
		return unlessDone(ctx, err)
	case <-time.After(stopTime):
		return nil
	}
}

// unlessDone drops errors that only say that the end was asked for.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		return nil //nolint:nilerr // the error is that the end was asked for
	}
	return err
}

func serveHTTP(ctx context.Context, address string, server *mcp.Server, logger *slog.Logger, greet func(endpoint string)) error {
	listener, err := listenLoopback(ctx, address)
	if err != nil {
		return err
	}
	endCalls(ctx, server)
	web := &http.Server{Handler: handler(server, logger), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	endpoint := "http://" + listener.Addr().String() + "/mcp"
	logger.Info("serving", "url", endpoint)
	greet(endpoint)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := web.Shutdown(deadline); err != nil {
		return web.Close() // event streams stay open until they are cut
	}
	return nil
}

// listenLoopback refuses addresses that other machines can reach: whoever can
// connect could use the server's own credentials.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("-http: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-http: %q can be reached by other machines, and this server does not ask who is calling; use 127.0.0.1 and, for others, a gateway that does", address)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// A hosts file may make localhost any address.
	if local, ok := listener.Addr().(*net.TCPAddr); !ok || !local.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("-http: localhost is %s here, which other machines can reach; use 127.0.0.1", listener.Addr()), listener.Close())
	}
	return listener, nil
}

// handler serves /mcp to clients of all protocol versions. Version 2026-07-28
// has no sessions, so the SDK serves it in stateless mode only; older clients
// can be asked for confirmation only within a session.
func handler(server *mcp.Server, logger *slog.Logger) http.Handler {
	get := func(*http.Request) *mcp.Server { return server }
	stateless := mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{
		Stateless: true, PropagateRequestCancellation: true, MaxRequestBodyBytes: maxRequestBytes, Logger: logger,
	})
	stateful := mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{
		SessionTimeout: sessionTimeout, MaxRequestBodyBytes: maxRequestBytes, Logger: logger,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Protocol-Version") >= statelessVersion {
			stateless.ServeHTTP(w, r)
			return
		}
		stateful.ServeHTTP(w, r)
	})
	return originCheck(mux)
}

// originCheck refuses requests that a page of another site makes through the
// user's browser.
func originCheck(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
			http.Error(w, "cross-origin requests are not served", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
}
