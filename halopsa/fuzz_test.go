package halopsa

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// Whatever is read as base64 is read the same from its usual form, with line
// breaks and as a data URL.
func FuzzDecodeBase64(f *testing.F) {
	for _, text := range []string{"SGVsbG8=", "SGVsbG8", "SGVs\r\nbG8=", "data:text/plain;base64,SGVsbG8=", "-_-_", "", "=", "what?", "data:;base64,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		content, err := decodeBase64(text)
		if err != nil {
			return
		}
		usual := base64.StdEncoding.EncodeToString(content)
		for _, form := range []string{usual, strings.TrimRight(usual, "="), "data:x/y;base64," + usual, " " + usual + "\n", base64.URLEncoding.EncodeToString(content)} {
			if again, err := decodeBase64(form); err != nil || !bytes.Equal(again, content) {
				t.Fatalf("%q is %q, but %q is %q, %v", text, content, form, again, err)
			}
		}
	})
}

// Whatever Halo answers to a search, it is shown without a panic, and each hit
// names a record.
func FuzzHits(f *testing.F) {
	f.Add([]byte(`[{"id":4.0,"name":"x"},{"id":"5","summary":"y"},{"id":6,"name":" "},7,null]`))
	f.Add([]byte(`{"id":4}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, h := range hits("ticket", json.RawMessage(body), 3) {
			if h.ID == 0 || h.Name == "" || len(h.Name) > 4*120 {
				t.Fatalf("%q gave %+v", body, h)
			}
		}
	})
}

// Receivers are split into addresses and nothing else.
func FuzzSplitAddresses(f *testing.F) {
	f.Add(`"Berg, Anna" <anna.berg@hafenlogistik.example>; b@c.example,d@e.example`)
	f.Fuzz(func(t *testing.T, list string) {
		for _, address := range splitAddresses(list) {
			if !strings.Contains(address, "@") || strings.ContainsAny(address, `;, <>"`) || !strings.Contains(list, address) {
				t.Fatalf("%q gave %q", list, address)
			}
		}
	})
}
