package authtest_test

import (
	"path/filepath"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
)

func TestMemoryKV(t *testing.T) {
	kv := new(auth.MemoryKV)
	authtest.TestKV(t, func() auth.KV { return kv })
}

func TestFileKV(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	authtest.TestKV(t, func() auth.KV {
		kv, err := auth.NewFileKV(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := kv.Close(); err != nil {
				t.Error(err)
			}
		})
		return kv
	})
}

func TestSealKV(t *testing.T) {
	keys, err := auth.NewKeyring(auth.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	kv := new(auth.MemoryKV)
	authtest.TestKV(t, func() auth.KV { return auth.SealKV(kv, keys) })
}
