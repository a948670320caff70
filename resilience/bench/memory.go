package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// Memory is what bodies cost.
type Memory struct {
	UploadOK    bool   // an upload of 64 MiB was repeated after a 503
	UploadPeak  uint64 // bytes of heap beyond what there was before
	UploadTotal uint64 // bytes allocated
	BombHanded  int64  // bytes of a bomb of 100 MiB that the caller got
	BombPeak    uint64 // bytes of heap, without what the caller keeps
	BombTotal   uint64 // bytes allocated
	BombRefused bool   // the caller was told
}

const (
	uploadSize = 64 << 20
	bombSize   = 100 << 20 // the product of a hundred members
)

// memory measures an upload that has to be repeated, and an answer that is
// much longer than it looks.
func memory(c contender) (Memory, error) {
	var m Memory
	if err := m.upload(c); err != nil {
		return m, err
	}
	packed, err := bomb()
	if err != nil {
		return m, err
	}
	return m, m.explode(c, packed)
}

func (m *Memory) upload(c contender) error {
	first := true
	server := serve(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		switch {
		case err != nil || n != uploadSize:
			answer(w, http.StatusBadRequest, 0)
		case first:
			first = false
			errorPage(w, 1)
		default:
			answer(w, http.StatusOK, 100)
		}
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPut, server.URL, content())
	if err != nil {
		return err
	}
	req.ContentLength = uploadSize
	req.GetBody = func() (io.ReadCloser, error) { return content(), nil }
	m.UploadPeak, m.UploadTotal = heap(func() { m.UploadOK = do(client, req) == nil })
	return nil
}

// content is 64 MiB from a source that can be opened again, such as a file.
func content() io.ReadCloser { return io.NopCloser(io.LimitReader(zeros{}, uploadSize)) }

type zeros struct{}

// Read implements [io.Reader].
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// bomb packs 100 MiB into 100 KiB: a hundred times the same member.
func bomb() ([]byte, error) {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	if _, err := io.CopyN(w, zeros{}, bombSize/100); err != nil {
		return nil, err
	}
	err := w.Close()
	return bytes.Repeat(member.Bytes(), 100), err
}

func (m *Memory) explode(c contender, packed []byte) error {
	server := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil)
	if err != nil {
		return err
	}
	m.BombPeak, m.BombTotal = heap(func() {
		resp, err := client.RoundTrip(req)
		if err != nil {
			m.BombRefused = true
			return
		}
		defer func() { _ = resp.Body.Close() }()
		m.BombHanded, err = io.Copy(io.Discard, resp.Body)
		m.BombRefused = err != nil
	})
	return nil
}

// heap returns by how much the heap grew at most during f, as seen every
// millisecond, and how much f allocated.
func heap(f func()) (peak, total uint64) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	see := func() {
		metrics.Read(sample)
		peak = max(peak, sample[0].Value.Uint64())
	}
	see()
	base := peak
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				see()
			}
		}
	})
	f()
	close(stop)
	watcher.Wait()
	see()
	runtime.ReadMemStats(&after)
	return peak - base, after.TotalAlloc - before.TotalAlloc
}
