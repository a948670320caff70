package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"
)

// site is a server on loopback and the transport to it, whose connections are
// counted.
type site struct {
	*httptest.Server
	base     *http.Transport
	requests atomic.Int64
	opened   atomic.Int64 // TCP connections

	mu   sync.Mutex
	open map[net.Conn]bool
}

// serve starts a site. Each contender gets its own.
func serve(handler http.HandlerFunc) *site {
	s := prepare(handler)
	s.Start()
	return s
}

// serveTLS is serve for https, with HTTP/2.
func serveTLS(handler http.HandlerFunc) *site {
	s := prepare(handler)
	s.EnableHTTP2 = true
	s.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	s.base.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	s.base.ForceAttemptHTTP2 = true
	return s
}

func prepare(handler http.HandlerFunc) *site {
	s := &site{base: network(), open: make(map[net.Conn]bool)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		handler(w, r)
	}))
	s.Config.ConnState = s.connState
	return s
}

// network is the base transport that all contenders get.
func network() *http.Transport {
	return &http.Transport{
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: 10 * time.Second,
	}
}

func (s *site) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.opened.Add(1)
		s.open[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(s.open, c)
	}
}

// connections returns how many are open.
func (s *site) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// end closes the site and all connections to it, whatever their state.
func (s *site) end() {
	s.base.CloseIdleConnections()
	s.CloseClientConnections()
	s.Close()
}

// reset ends the connection of a request as a crash does: with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // HTTP/1.1 can always be hijacked
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it is an orderly end
	}
	_ = conn.Close()
}

// answer writes a body of a given size.
func answer(w http.ResponseWriter, status, size int) {
	w.WriteHeader(status)
	_, _ = w.Write(filler[:size])
}

// filler is the content of all answers; an error page of IIS has about its size.
var filler = make([]byte, 16<<10)
