package project_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root     = "../.."
	maxLines = 500
)

// goPackage is the Go files of one directory.
type goPackage struct {
	dir      string
	name     string
	doc      string
	examples int
}

// packages reads every package of every module of the repository.
func packages(t *testing.T) []*goPackage {
	t.Helper()
	byDir := map[string]*goPackage{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		source := read(t, path)
		if lines := strings.Count(source, "\n"); lines > maxLines {
			t.Errorf("%s has %d lines, more than %d", path, lines, maxLines)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		if byDir[dir] == nil {
			byDir[dir] = &goPackage{dir: dir}
		}
		byDir[dir].add(file, strings.HasSuffix(name, "_test.go"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []*goPackage
	for _, p := range byDir {
		list = append(list, p)
	}
	return list
}

func (p *goPackage) add(file *ast.File, test bool) {
	if !test {
		p.name = file.Name.Name
		p.doc += file.Doc.Text()
		return
	}
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil && strings.HasPrefix(function.Name.Name, "Example") {
			p.examples++
		}
	}
}

// TestPackagesAreDocumented: each package says what it is for, and shows it. A
// command is its own example; the root, this package and those that only test
// have no code to show.
func TestPackagesAreDocumented(t *testing.T) {
	list := packages(t)
	if len(list) < 20 {
		t.Fatalf("found %d packages", len(list))
	}
	codeless := []string{
		root, filepath.Join(root, "internal", "project"), filepath.Join(root, "internal", "e2e"), filepath.Join(root, "internal", "authe2e"),
		filepath.Join(root, "auth", "bench"),
	}
	for _, p := range list {
		if start := "Package " + p.name + " "; p.name != "main" && !strings.HasPrefix(p.doc, start) || p.name == "main" && !strings.HasPrefix(p.doc, "Command ") {
			t.Errorf("%s: the comment of the package is %q", p.dir, p.doc)
		}
		if p.name != "main" && p.examples == 0 && !slices.Contains(codeless, p.dir) {
			t.Errorf("%s has no Example function", p.dir)
		}
	}
}

// TestTopLevel: the front of the house has what belongs there.
func TestTopLevel(t *testing.T) {
	want := []string{
		"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md",
		"auth", "doc.go", "examples", "go.mod", "go.sum", "go.work", "go.work.sum", "graph", "halopsa", "internal", "mcptools", "resilience",
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			found = append(found, entry.Name())
		}
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	license, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil || !bytes.HasPrefix(license, []byte("MIT License")) {
		t.Errorf("LICENSE: %v", err)
	}
}
