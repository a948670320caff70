package rest

import (
	"encoding/json"
	"errors"
)

// maxElements bounds an array in an answer. Three bytes, such as {}, can become a
// kilobyte of memory, so the size of an answer alone bounds nothing.
const maxElements = 50_000

var errCrowded = errors.New("rest: an array of the answer has too many elements")

// Decode reads JSON that a service sent.
func Decode(body []byte, out any) error {
	if crowded(body) {
		return errCrowded
	}
	return json.Unmarshal(body, out)
}

// crowded reports whether an array has more than maxElements. What is no JSON is
// left to the decoder.
func crowded(body []byte) bool {
	if len(body) < 2*maxElements {
		return false
	}
	var commas []int // of each array and object that is open
	quoted := false
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			commas = append(commas, 0)
		case (c == ']' || c == '}') && len(commas) > 0:
			commas = commas[:len(commas)-1]
		case c == ',' && len(commas) > 0:
			if commas[len(commas)-1]++; commas[len(commas)-1] >= maxElements {
				return true
			}
		}
	}
	return false
}
