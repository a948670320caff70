package fakehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Server serves one handler on a free loopback port. Unlike httptest it can be
// part of a program: importing it registers no flags.
type Server struct {
	url  string
	http *http.Server
	done chan struct{}
}

// Serve starts a server. Like httptest.NewServer it panics when no loopback
// port can be had, because nothing useful can follow.
func Serve(handler http.Handler) *Server {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("fakehttp: no loopback port: %v", err))
	}
	s := &Server{
		url: "http://" + listener.Addr().String(),
		http: &http.Server{
			Handler: handler, ReadHeaderTimeout: 10 * time.Second,
			ErrorLog: log.New(io.Discard, "", 0), // a library writes nothing; Recorder keeps panics
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // always ErrServerClosed after Close
	}()
	return s
}

// URL returns the server's address without a trailing slash, such as
// "http://127.0.0.1:40123".
func (s *Server) URL() string { return s.url }

// Close lets requests under way finish for at most a second, then cuts every
// connection and waits for the listener to end. Closing twice is fine.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // cuts what is left; the listener is closed already
	}
	<-s.done
}

// WriteJSON answers with status and the JSON form of value.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // as the real services do
	if err := encoder.Encode(value); err != nil {
		http.Error(w, "fakehttp: answer cannot be encoded", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may have gone; a fake has nobody to tell
}
