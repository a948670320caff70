package halopsa

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// whole is a whole number as Halo writes it: 21, 21.0 or "21". null and what is
// no number, such as the GUID that is the id of a priority, count as 0.
type whole int

// UnmarshalJSON reads any of these forms.
func (w *whole) UnmarshalJSON(data []byte) error {
	*w = 0
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.Trim(string(data), `"`)), 64)
	if err == nil && math.Trunc(n) == n && math.Abs(n) < 1<<52 {
		*w = whole(n)
	}
	return nil
}

// truth is a truth value as Halo writes it: true, 1, "true", or null for false.
type truth bool

// UnmarshalJSON reads any of these forms; what is none of them counts as false.
func (t *truth) UnmarshalJSON(data []byte) error {
	var value any
	decodable := json.Unmarshal(data, &value) == nil // not so a number beyond float64
	switch v := value.(type) {
	case bool:
		*t = truth(v)
	case float64:
		*t = truth(decodable && v > 0)
	case string:
		*t = truth(strings.EqualFold(v, "true") || v == "1")
	default:
		*t = false
	}
	return nil
}

// wholeNumber reads an id that a caller wrote.
func wholeNumber(text string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(text), "#"))
	return n, err == nil && n > 0
}
