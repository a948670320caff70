package doctext

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// windows1252 holds what the bytes 0x80 to 0x9f mean in Windows-1252, in which
// mail programs write what they call ISO-8859-1.
// https://encoding.spec.whatwg.org/#names-and-labels
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

// decode returns bytes in a character set as a string. A byte order mark wins
// over the name of the set. Without either, what is not UTF-8 is Windows-1252.
// Of other sets, what is not ASCII becomes a replacement character.
func decode(content []byte, charset string) string {
	switch {
	case len(content) >= 3 && string(content[:3]) == "\xef\xbb\xbf":
		return strings.ToValidUTF8(string(content[3:]), "\uFFFD")
	case len(content) >= 2 && string(content[:2]) == "\xff\xfe":
		return fromUTF16(content[2:], binary.LittleEndian)
	case len(content) >= 2 && string(content[:2]) == "\xfe\xff":
		return fromUTF16(content[2:], binary.BigEndian)
	}
	switch strings.ToLower(charset) {
	case "utf-16le":
		return fromUTF16(content, binary.LittleEndian)
	case "utf-16", "utf-16be":
		return fromUTF16(content, binary.BigEndian)
	case "", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252":
		if utf8.Valid(content) {
			return string(content)
		}
		return fromWindows1252(content)
	}
	return strings.ToValidUTF8(string(content), "\uFFFD")
}

func fromUTF16(content []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(content)/2)
	for i := range units {
		units[i] = order.Uint16(content[2*i:])
	}
	return string(utf16.Decode(units))
}

func fromWindows1252(content []byte) string {
	high := []rune(windows1252)
	var b strings.Builder
	for _, c := range content {
		if c >= 0x80 && c < 0xa0 {
			b.WriteRune(high[c-0x80])
		} else {
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}
