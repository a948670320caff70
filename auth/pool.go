package auth

import (
	"container/list"
	"context"
	"sync"

	"golang.org/x/oauth2"
)

// SourceFunc is a [TokenSource] that chooses another by the context of the
// call: the user's, the tenant's. [Transport] answers a 401 at the source that
// was chosen.
type SourceFunc func(ctx context.Context) (TokenSource, error)

// SourceFor returns the chosen source.
func (f SourceFunc) SourceFor(ctx context.Context) (TokenSource, error) { return f(ctx) }

// TokenContext implements [TokenSource].
func (f SourceFunc) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	source, err := f(ctx)
	if err != nil {
		return nil, err
	}
	return source.TokenContext(ctx)
}

// chosen follows SourceFor, if the source has it, and if the one that it
// chooses has it too.
func chosen(ctx context.Context, source TokenSource) (TokenSource, error) {
	for {
		chooser, ok := source.(interface {
			SourceFor(ctx context.Context) (TokenSource, error)
		})
		if !ok {
			return source, nil
		}
		var err error
		if source, err = chooser.SourceFor(ctx); err != nil {
			return nil, err
		}
	}
}

// defaultPoolSize is enough for every tenant of a large provider.
const defaultPoolSize = 1000

// Pool keeps a [Source] for each of many tenants or users, those used last. A
// source that gives way to others just starts afresh when it is wanted again;
// whoever still holds it can go on using it. It is safe for concurrent use.
type Pool struct {
	open func(key string) (*Source, error)
	size int

	mu     sync.Mutex
	closed bool
	byKey  map[string]*list.Element // of *pooled
	order  *list.List               // the one used last in front
}

type pooled struct {
	key    string
	source *Source
}

// NewPool returns a pool of at most size sources (0: 1000), each made by open
// when its key is wanted first. Open must not block: [NewClientCredentials] and
// the like do not.
func NewPool(size int, open func(key string) (*Source, error)) *Pool {
	if size <= 0 {
		size = defaultPoolSize
	}
	return &Pool{open: open, size: size, byKey: map[string]*list.Element{}, order: list.New()}
}

// Get returns the source of key, the error of open, or [ErrClosed].
func (p *Pool) Get(key string) (*Source, error) {
	return p.get(key, func() (*Source, error) { return p.open(key) })
}

func (p *Pool) get(key string, open func() (*Source, error)) (*Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if e, ok := p.byKey[key]; ok {
		p.order.MoveToFront(e)
		return e.Value.(*pooled).source, nil //nolint:forcetypeassert // only *pooled are put in
	}
	source, err := open()
	if err != nil {
		return nil, err
	}
	p.byKey[key] = p.order.PushFront(&pooled{key, source})
	if p.order.Len() > p.size {
		p.drop(p.order.Back())
	}
	return source, nil
}

// Remove closes and forgets the source of key, if there is one.
func (p *Pool) Remove(key string) {
	p.mu.Lock()
	e, ok := p.byKey[key]
	var source *Source
	if ok {
		source = p.drop(e)
	}
	p.mu.Unlock()
	if source != nil {
		source.Close()
	}
}

// Len returns how many sources there are.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.order.Len()
}

func (p *Pool) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Close closes all sources, and makes Get return [ErrClosed].
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	var sources []*Source
	for p.order.Len() > 0 {
		sources = append(sources, p.drop(p.order.Front()))
	}
	p.mu.Unlock()
	for _, source := range sources {
		source.Close()
	}
}

// drop forgets an entry; p.mu is held.
func (p *Pool) drop(e *list.Element) *Source {
	entry := p.order.Remove(e).(*pooled) //nolint:forcetypeassert // see Get
	delete(p.byKey, entry.key)
	return entry.source
}
