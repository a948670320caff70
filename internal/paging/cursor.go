// Package paging collects the pages of an upstream list into one result of
// bounded size, and makes the cursors that continue it.
package paging

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// macSize is how much of the HMAC a cursor carries: 96 bits, which nobody
// guesses through an API, at 16 characters.
const macSize = 12

// Codec makes and opens cursors. A cursor is opaque to the model, and good only
// for the scope it was made in. A Codec is safe for concurrent use.
type Codec struct{ key []byte }

// NewCodec returns a codec with the given key of at least 32 bytes. Without a
// key it makes a random one, so its cursors die with the process.
func NewCodec(key []byte) (*Codec, error) {
	if len(key) == 0 {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails, see crypto/rand
	}
	if len(key) < 32 {
		return nil, errors.New("paging: the cursor key is shorter than 32 bytes")
	}
	return &Codec{key: key}, nil
}

// position is where a list goes on: skip rows of the page that token names.
type position struct {
	Token string `json:"t,omitempty"`
	Skip  int    `json:"s,omitempty"`
}

func (c *Codec) seal(scope string, p position) (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("paging: seal cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(c.mac(scope, data), data...)), nil
}

func (c *Codec) open(scope, cursor string) (position, error) {
	if cursor == "" {
		return position{}, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) < macSize || !hmac.Equal(data[:macSize], c.mac(scope, data[macSize:])) {
		return position{}, wrongCursor()
	}
	var p position
	if err := json.Unmarshal(data[macSize:], &p); err != nil || p.Skip < 0 {
		return position{}, wrongCursor()
	}
	return p, nil
}

func wrongCursor() error {
	return mcptools.Errorf(mcptools.CodeInvalidArguments, "cursor: it was not made for this call").
		WithHint("pass the cursor with exactly the arguments of the call that returned it, or leave it out to start again")
}

// mac binds data to the scope; the scope's length keeps the two apart.
func (c *Codec) mac(scope string, data []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "%d:%s", len(scope), scope)
	h.Write(data)
	return h.Sum(nil)[:macSize]
}

// Scope names what a cursor belongs to: the tool, who is calling, and the
// arguments. Of these, cursor and limit do not count: they may differ from page
// to page.
func Scope(tool, identity string, arguments any) (string, error) {
	text, err := json.Marshal(arguments)
	var fields map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err == nil {
		delete(fields, "cursor")
		delete(fields, "limit")
		text, err = json.Marshal([]any{tool, identity, fields})
	}
	if err != nil {
		return "", fmt.Errorf("paging: scope: %w", err)
	}
	return string(text), nil
}
