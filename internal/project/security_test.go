package project_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestThreatTable: each threat has a row in SECURITY.md, and each test named
// there exists.
func TestThreatTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 15; n++ {
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| T%d \\|.*$", n)).FindString(string(page))
		proofs := regexp.MustCompile("`([a-z0-9/]+)/(Test\\w+)`").FindAllStringSubmatch(row, -1)
		if len(proofs) == 0 {
			t.Errorf("T%d has no proof: %q", n, row)
		}
		for _, proof := range proofs {
			if !declares(t, filepath.Join(root, filepath.FromSlash(proof[1])), proof[2]) {
				t.Errorf("T%d: %s has no %s", n, proof[1], proof[2])
			}
		}
	}
}

// declares reports whether a test of the package in dir has this name.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "\nfunc "+name+"(")
	})
}

// TestDependencies: what the library needs is a short list, and grows on
// purpose only.
func TestDependencies(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all")
	list.Dir = root
	list.Env = append(os.Environ(), "GOWORK=off")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"github.com/JohannesKaufmann/html-to-markdown/v2", "github.com/cenkalti/backoff/v4", "github.com/google/jsonschema-go",
		"github.com/modelcontextprotocol/go-sdk", "github.com/santhosh-tekuri/jsonschema/v5", "github.com/sony/gobreaker",
		"github.com/yuin/goldmark", "golang.org/x/net", "golang.org/x/oauth2",
	}
	var found []string
	for path := range strings.FieldsSeq(string(out)) {
		found = append(found, path)
	}
	if !slices.Equal(found, want) {
		t.Errorf("the library requires %v, want %v", found, want)
	}
}
