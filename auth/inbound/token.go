package inbound

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxToken  = 16 << 10 // bytes
	maxDepth  = 8        // of nested claims
	maxText   = 512      // bytes of a key id, subject or issuer
	latestDay = 1 << 40  // seconds; times beyond are absurd
)

// token is a JWT in pieces, none of which can be trusted before the signature
// has been checked.
type token struct {
	algorithm, keyID, kind string
	claims                 claims
	signed                 string // what the signature is about
	signature              []byte
}

// parse takes a JWT apart (RFC 7519 section 7.2, RFC 7515 section 5.2).
func parse(raw string) (token, error) {
	if len(raw) > maxToken {
		return token{}, refuse("longer than 16 KiB")
	}
	head, rest, ok1 := strings.Cut(raw, ".")
	body, tail, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(tail, ".") {
		return token{}, refuse("not a signed JWT")
	}
	header, err := object(head)
	if err != nil {
		return token{}, err
	}
	t := token{signed: raw[:len(raw)-len(tail)-1]}
	if t.signature, err = decode(tail); err != nil {
		return token{}, err
	}
	// RFC 7515 section 4.1.11: what must be understood and is not, refuses.
	if _, critical := header["crit"]; critical {
		return token{}, refuse("critical extension")
	}
	if t.algorithm = header.text("alg"); t.algorithm == "" {
		return token{}, refuse("no algorithm")
	}
	t.keyID, t.kind = header.text("kid"), header.text("typ")
	if _, odd := header["typ"]; odd && t.kind == "" {
		return token{}, refuse("type")
	}
	t.claims, err = object(body)
	return t, err
}

// decode reads base64url without padding. Go's decoder skips line breaks, and
// by default ignores stray bits in the last character: one token would have
// many spellings.
func decode(part string) ([]byte, error) {
	if part == "" || strings.ContainsAny(part, "\r\n") {
		return nil, refuse("not base64url")
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, refuse("not base64url")
	}
	return data, nil
}

// claims is a JSON object: a header or a payload.
type claims map[string]any

func object(part string) (claims, error) {
	data, err := decode(part)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, refuse("not UTF-8")
	}
	reader := json.NewDecoder(bytes.NewReader(data))
	reader.UseNumber()
	value, err := read(reader, maxDepth)
	if err != nil {
		return nil, refuse("not plain JSON")
	}
	if _, err := reader.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("not plain JSON")
	}
	o, ok := value.(map[string]any)
	if !ok {
		return nil, refuse("not a JSON object")
	}
	return o, nil
}

var errJSON = errors.New("json")

// read reads one value, refusing names that occur twice (RFC 7519 section 4
// lets us), of which two readers may each believe another one.
func read(r *json.Decoder, depth int) (any, error) {
	t, err := r.Token()
	if err != nil || depth == 0 {
		return nil, errJSON
	}
	switch t {
	case json.Delim('{'):
		return readObject(r, depth)
	case json.Delim('['):
		list := []any{}
		for r.More() {
			v, err := read(r, depth-1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := r.Token()
		return list, err
	}
	return t, nil
}

func readObject(r *json.Decoder, depth int) (any, error) {
	o := map[string]any{}
	for r.More() {
		name, err := r.Token()
		if err != nil {
			return nil, errJSON
		}
		key, ok := name.(string)
		if _, twice := o[key]; !ok || twice {
			return nil, errJSON
		}
		if o[key], err = read(r, depth-1); err != nil {
			return nil, err
		}
	}
	_, err := r.Token()
	return o, err
}

// text returns a claim that is a short, printable string; otherwise nothing.
func (c claims) text(name string) string {
	s, ok := c[name].(string)
	if !ok || len(s) > maxText || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// has reports whether any of the claims is there.
func (c claims) has(names ...string) bool {
	for _, name := range names {
		if _, ok := c[name]; ok {
			return true
		}
	}
	return false
}

// words returns a claim that is a string of words or a list of strings, and
// whether all of it could be read.
func (c claims) words(name string) ([]string, bool) {
	switch claim := c[name].(type) {
	case nil:
		return nil, !c.has(name)
	case string:
		return strings.Fields(claim), true
	case []any:
		list := make([]string, 0, len(claim))
		for _, one := range claim {
			word, ok := one.(string)
			if !ok {
				return nil, false
			}
			list = append(list, word)
		}
		return list, true
	}
	return nil, false
}

// audiences reads aud, one string or a list of them (RFC 7519 section 4.1.3).
func (c claims) audiences() []string {
	if one, ok := c["aud"].(string); ok {
		return []string{one}
	}
	list, _ := c.words("aud") // what cannot be read is no audience
	return list
}

// time reads a NumericDate (RFC 7519 section 2), which may have a fraction.
func (c claims) time(name string) (at time.Time, present, ok bool) {
	claim, present := c[name]
	if !present {
		return time.Time{}, false, true
	}
	number, ok := claim.(json.Number)
	if !ok {
		return time.Time{}, true, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 1 || seconds > latestDay {
		return time.Time{}, true, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true, true
}
