package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

func keyOf(subject string, scopes ...string) auth.StoreKey {
	return auth.StoreKey{Issuer: "https://login.example", Tenant: "contoso", ClientID: "desktop", Subject: subject, Scopes: scopes}
}

func ring(t testing.TB, keys ...[]byte) *auth.Keyring {
	t.Helper()
	if len(keys) == 0 {
		keys = [][]byte{bytes.Repeat([]byte{1}, auth.KeySize)}
	}
	r, err := auth.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newStore(t testing.TB, kv auth.KV, r *auth.Keyring, options auth.StoreOptions) *auth.Store {
	t.Helper()
	s, err := auth.NewStore(kv, r, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openFiles(t testing.TB, dir string) *auth.FileKV {
	t.Helper()
	kv, err := auth.NewFileKV(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kv.Close() })
	return kv
}

func save(t testing.TB, s *auth.Store, key auth.StoreKey, refresh string) {
	t.Helper()
	r, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		r = &auth.Record{Key: key, SignedIn: time.Now()}
	}
	r.RefreshToken, r.AccessToken, r.Expiry = auth.NewSecret(refresh), auth.NewSecret("access of "+refresh), time.Now().Add(-time.Minute)
	if err := s.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// stored returns the refresh token of a record, "" if there is none.
func stored(t testing.TB, s *auth.Store, key auth.StoreKey) string {
	t.Helper()
	r, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		return ""
	}
	return r.RefreshToken.Expose()
}

// T4: nothing that differs leads to the same record, however it is spelled.
func TestStoreKeysAreTold(t *testing.T) {
	keys := []auth.StoreKey{
		{Issuer: "ab", Tenant: "c"}, {Issuer: "a", Tenant: "bc"}, {Tenant: "abc"}, {Issuer: "abc"}, {ClientID: "abc"}, {Subject: "abc"},
		{Scopes: []string{"abc"}}, {Scopes: []string{"ab", "c"}}, {Scopes: []string{"a", "bc"}}, {Scopes: []string{"ab c"}}, {Subject: "abc", Scopes: []string{""}},
		{Subject: "ABC"}, {Subject: "abc "}, {Subject: "abc\x00"}, {}, {Scopes: []string{""}},
	}
	seen := map[string]auth.StoreKey{}
	for _, key := range keys {
		if other, ok := seen[key.ID()]; ok {
			t.Errorf("%+v and %+v share a record", key, other)
		}
		seen[key.ID()] = key
	}
	if keyOf("u", "a", "b").ID() != keyOf("u", "b", "a", "b").ID() {
		t.Error("the order of scopes matters")
	}
}

func FuzzStoreKey(f *testing.F) {
	f.Add("a", "b", "c", "d")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		one := auth.StoreKey{Issuer: a, Tenant: b, ClientID: c, Subject: d}
		for _, other := range []auth.StoreKey{
			{Issuer: a + b, ClientID: c, Subject: d}, {Issuer: a, Tenant: b + c, Subject: d},
			{Issuer: a, Tenant: b, ClientID: c + d}, {Issuer: a, Tenant: b, ClientID: c, Scopes: []string{d}}, {Issuer: b, Tenant: a, ClientID: c, Subject: d},
		} {
			same := one.Issuer == other.Issuer && one.Tenant == other.Tenant && one.ClientID == other.ClientID && one.Subject == other.Subject && other.Scopes == nil
			if (one.ID() == other.ID()) != same {
				t.Errorf("%+v and %+v", one, other)
			}
		}
	})
}

func TestStoreHoldsBothTokensUnlessTold(t *testing.T) {
	for _, both := range []bool{true, false} {
		s := newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{RefreshTokensOnly: !both})
		save(t, s, keyOf("ann"), "r1")
		r, err := s.Load(t.Context(), keyOf("ann"))
		if err != nil {
			t.Fatal(err)
		}
		if r.RefreshToken.Expose() != "r1" || r.AccessToken.IsZero() == both || r.Expiry.IsZero() == both {
			t.Errorf("both %v: access token kept: %v, expiry %v", both, !r.AccessToken.IsZero(), r.Expiry)
		}
	}
}

func TestStoreConflict(t *testing.T) {
	s := newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{})
	save(t, s, keyOf("ann"), "r1")
	one, _ := s.Load(t.Context(), keyOf("ann"))
	two, _ := s.Load(t.Context(), keyOf("ann"))
	one.RefreshToken, two.RefreshToken = auth.NewSecret("r2"), auth.NewSecret("r3")
	if err := s.Save(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), two); !errors.Is(err, auth.ErrConflict) {
		t.Errorf("the loser's error is %v", err)
	}
	if err := s.Save(t.Context(), &auth.Record{Key: keyOf("ann")}); !errors.Is(err, auth.ErrConflict) {
		t.Errorf("a new record over an old one: %v", err)
	}
	if got := stored(t, s, keyOf("ann")); got != "r2" {
		t.Errorf("stored %s, want the winner's r2", got)
	}
}

func TestStoreIndex(t *testing.T) {
	s := newStore(t, new(auth.MemoryKV), ring(t), auth.StoreOptions{})
	var want []string
	for n := range 40 {
		key := keyOf(fmt.Sprintf("user %d", n/2), fmt.Sprintf("scope %d", n%2))
		save(t, s, key, "r")
		want = append(want, key.ID())
	}
	if keys, err := s.KeysOf(t.Context(), "user 7"); err != nil || len(keys) != 2 || keys[0].Subject != "user 7" {
		t.Errorf("keys of one subject: %v, %v", keys, err)
	}
	if err := s.Delete(t.Context(), keyOf("user 0", "scope 0")); err != nil {
		t.Fatal(err)
	}
	records, err := s.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, r.Key.ID())
	}
	want = want[1:]
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
}

// T7: who can write the store gets nothing out of it and nothing into it.
func TestStoreRefusesWhatWasTamperedWith(t *testing.T) {
	ann, bob := keyOf("ann"), keyOf("bob")
	for name, tamper := range map[string]func(value, bobs []byte) []byte{
		"empty payload":   func(v, _ []byte) []byte { return v[:12] },
		"one byte":        func(v, _ []byte) []byte { return v[:1] },
		"truncated":       func(v, _ []byte) []byte { return v[:len(v)-1] },
		"longer":          func(v, _ []byte) []byte { return append(v, 0) },
		"swapped":         func(_, b []byte) []byte { return b },
		"version 0":       func(v, _ []byte) []byte { v[3] = 0; return v },
		"version 2":       func(v, _ []byte) []byte { v[3] = 2; return v },
		"plain JSON":      func(_, _ []byte) []byte { return []byte(`{"refresh_token":"evil"}`) },
		"header and JSON": func(v, _ []byte) []byte { return append(v[:12], `{"refresh_token":"evil"}`...) },
	} {
		t.Run(name, func(t *testing.T) {
			kv := new(auth.MemoryKV)
			s := newStore(t, kv, ring(t), auth.StoreOptions{})
			save(t, s, ann, "r-ann")
			save(t, s, bob, "r-bob")
			value, _ := kv.Get(t.Context(), ann.ID())
			bobs, _ := kv.Get(t.Context(), bob.ID())
			put(t, kv, ann.ID(), tamper(bytes.Clone(value), bobs))
			refuses(t, kv, s, ann)
		})
	}
}

func TestStoreRefusesEveryFlippedBit(t *testing.T) {
	kv := new(auth.MemoryKV)
	s := newStore(t, kv, ring(t), auth.StoreOptions{})
	key := keyOf("ann")
	save(t, s, key, "r1")
	good, _ := kv.Get(t.Context(), key.ID())
	for bit := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		put(t, kv, key.ID(), bad)
		if r, err := s.Load(t.Context(), key); r != nil || !isUnreadable(err) {
			t.Fatalf("bit %d of %d: %v, %v", bit, len(good)*8, r, err)
		}
	}
}

func put(t testing.TB, kv auth.KV, id string, value []byte) {
	t.Helper()
	old, err := kv.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := kv.CompareAndSwap(t.Context(), id, old, value, 0); err != nil || !ok {
		t.Fatalf("swap: %v, %v", ok, err)
	}
}

func isUnreadable(err error) bool {
	_, ok := errors.AsType[*auth.UnreadableError](err)
	return ok
}

// refuses checks that the record is neither read nor overwritten, by a sign-in
// either, until it is deleted.
func refuses(t testing.TB, kv auth.KV, s *auth.Store, key auth.StoreKey) {
	t.Helper()
	before, _ := kv.Get(t.Context(), key.ID())
	if _, err := s.Load(t.Context(), key); !isUnreadable(err) {
		t.Errorf("Load: %v, want an UnreadableError", err)
	}
	if err := s.Save(t.Context(), &auth.Record{Key: key}); err == nil {
		t.Error("Save overwrote it")
	}
	source := auth.NewSource(newSignIns("x").fetch, s.Keep(key, auth.SourceOptions{}))
	defer source.Close()
	if _, err := source.Token(); !isUnreadable(err) {
		t.Errorf("Source: %v, want an UnreadableError", err)
	}
	if after, _ := kv.Get(t.Context(), key.ID()); !bytes.Equal(before, after) {
		t.Error("the record has changed")
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Errorf("Delete: %v", err)
	}
	save(t, s, key, "new")
	if got := stored(t, s, key); got != "new" {
		t.Errorf("after signing out and in: %q", got)
	}
}

func TestSealKVRefusesWhatWasTamperedWith(t *testing.T) {
	kv := new(auth.MemoryKV)
	sealed := auth.SealKV(kv, ring(t))
	swap(t, sealed, "session", "", "ann")
	swap(t, sealed, "other", "", "bob")
	bobs, err := kv.Get(t.Context(), "other")
	if err != nil || bytes.Contains(bobs, []byte("bob")) {
		t.Fatalf("in the clear: %q, %v", bobs, err)
	}
	put(t, kv, "session", bobs)
	if value, err := sealed.Get(t.Context(), "session"); value != nil || !isUnreadable(err) {
		t.Errorf("%q, %v", value, err)
	}
	for _, old := range [][]byte{nil, []byte("ann"), []byte("bob")} {
		if ok, err := sealed.CompareAndSwap(t.Context(), "session", old, []byte("eve"), 0); ok || !isUnreadable(err) {
			t.Errorf("overwritten: %v, %v", ok, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	first, second := bytes.Repeat([]byte{1}, auth.KeySize), bytes.Repeat([]byte{2}, auth.KeySize)
	kv, key := new(auth.MemoryKV), keyOf("ann")
	save(t, newStore(t, kv, ring(t, first), auth.StoreOptions{}), key, "r1")
	value, _ := kv.Get(t.Context(), key.ID())

	both := newStore(t, kv, ring(t, second, first), auth.StoreOptions{})
	if got := stored(t, both, key); got != "r1" {
		t.Fatalf("an old key opens %q", got)
	}
	if _, err := both.Keys(t.Context()); err != nil { // the index is sealed too
		t.Fatal(err)
	}
	if again, _ := kv.Get(t.Context(), key.ID()); bytes.Equal(again, value) {
		t.Error("reading did not seal it anew")
	}
	only := newStore(t, kv, ring(t, second), auth.StoreOptions{})
	if got := stored(t, only, key); got != "r1" {
		t.Errorf("the new key opens %q", got)
	}
	if _, err := newStore(t, kv, ring(t, first), auth.StoreOptions{}).Load(t.Context(), key); !isUnreadable(err) {
		t.Errorf("a removed key: %v", err)
	}
}

func TestKeyringNeverPrintsKeys(t *testing.T) {
	secret := "0123456789abcdef0123456789ABCDEF"
	r := ring(t, []byte(secret))
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(r), fmt.Sprintf("%+v %#v %x %s %d", r, r, r, r, r), fmt.Sprintf("%+v", *newStore(t, new(auth.MemoryKV), r, auth.StoreOptions{})), string(encoded)} {
		if strings.Contains(text, "0123") || strings.Contains(text, "30313233") || strings.Contains(text, "48 49 50") {
			t.Errorf("printed %s", text)
		}
	}
	for _, bad := range [][][]byte{nil, {make([]byte, 31)}, {make([]byte, 32), nil}} {
		if _, err := auth.NewKeyring(bad...); err == nil {
			t.Errorf("%d keys accepted", len(bad))
		}
	}
}

func TestLoadKeyring(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "key")
	r, err := auth.LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	kv, key := new(auth.MemoryKV), keyOf("ann")
	save(t, newStore(t, kv, r, auth.StoreOptions{}), key, "r1")
	again, err := auth.LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := stored(t, newStore(t, kv, again, auth.StoreOptions{}), key); got != "r1" {
		t.Errorf("the same file opens %q", got)
	}
	for _, bad := range []string{"", "not base64!\n", "c2hvcnQ=\n"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.LoadKeyring(path); err == nil || strings.Contains(err.Error(), "not base64!") {
			t.Errorf("content %q: %v", bad, err)
		}
	}
}
