package graphtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// guid returns the same GUID for the same name, so that seeded objects have
// stable ids.
func guid(name string) string {
	sum := sha256.Sum256([]byte(name))
	return formatGUID(sum[:16])
}

func newGUID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return formatGUID(raw)
}

func formatGUID(raw []byte) string {
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:16])
}

// Outlook ids are base64url of a structure: what kind of id, which mailbox,
// which item. Their lengths and shared beginnings matter to what they cost a
// language model, so they are like the real ones.
var (
	immutableHead = []byte{0x00, 0x09, 0x00, 0x2e, 0, 0, 0, 0, 0, 0x1d, 0x84, 0x03, 0x11, 0xaa, 0x66, 0x11, 0xcd, 0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0x84, 0x5a, 0x0d, 0x00}
	regularHead   = []byte{0x00, 0x03, 0x24, 0x00}
	threadHead    = []byte{0x00, 0x04, 0x24, 0x00}
)

// immutableID returns the 68 characters of an id that survives moves.
func (b *mailbox) immutableID(item int) string {
	sum := sha256.Sum256([]byte("store" + b.guid))
	raw := append([]byte(nil), immutableHead...)
	raw = append(raw, sum[:16]...)
	return base64.RawURLEncoding.EncodeToString(append(raw, itemPart(b.guid, item, 0)[:8]...))
}

// regularID returns the 152 characters of an id that a move changes.
func (b *mailbox) regularID(item, revision int) string {
	return base64.URLEncoding.EncodeToString(b.entryID(113, item, revision))
}

// folderID returns the 120 characters of a folder's id.
func (b *mailbox) folderID(item int) string {
	return base64.URLEncoding.EncodeToString(b.entryID(89, item, 0))
}

// attachmentID extends the id of its message, as the real ones do.
func (b *mailbox) attachmentID(item, revision, n int, immutable bool) string {
	if immutable {
		raw, _ := base64.RawURLEncoding.DecodeString(b.immutableID(item)) // made above
		return base64.RawURLEncoding.EncodeToString(append(raw, itemPart(b.guid, item, n)[:21]...))
	}
	raw := append(b.entryID(113, item, revision), 0x01, 0x12, 0x00, 0x10, 0x00)
	return base64.URLEncoding.EncodeToString(append(raw, itemPart(b.guid, item, n)[:16]...))
}

func (b *mailbox) conversationID(n int) string {
	raw := append(append([]byte(nil), threadHead...), b.guid...)
	return base64.URLEncoding.EncodeToString(append(raw, itemPart(b.guid, n, 1)[:16]...))
}

func (b *mailbox) entryID(size, item, revision int) []byte {
	sum := sha256.Sum256([]byte("store" + b.guid))
	raw := append(append([]byte(nil), regularHead...), b.guid...)
	raw = append(raw, 0x00, 0x46, 0, 0, 0, 0, 0)
	raw = append(append(raw, sum[:16]...), 0x07, 0x00)
	raw = append(raw, sum[16:]...)
	raw = append(raw, sum[:]...)
	return append(raw[:size-10], itemPart(b.guid, item, revision)[:10]...)
}

func itemPart(seed string, item, n int) []byte {
	var numbers [16]byte
	binary.BigEndian.PutUint64(numbers[:8], uint64(item)) //nolint:gosec // counters are not negative
	binary.BigEndian.PutUint64(numbers[8:], uint64(n))    //nolint:gosec // counters are not negative
	sum := sha256.Sum256(append([]byte(seed), numbers[:]...))
	return sum[:]
}

// changeKey is the version of an item; its etag quotes it.
func changeKey(item, version int) string {
	return base64.StdEncoding.EncodeToString(append([]byte{0x09, 0, 0, 0, 0x16, 0}, itemPart("change", item, version)[:24]...))
}
