package authtest_test

import (
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
)

func TestMemoryKV(t *testing.T) {
	kv := new(auth.MemoryKV)
	authtest.TestKV(t, func() auth.KV { return kv })
}
