// Command generate reads the official descriptions of the APIs and writes the
// compact text indexes that the fakes and the scope tests are checked against.
// The originals are large and are not kept in this repository:
//
//   - -csdl: the metadata document of Graph v1.0, published at
//     https://graph.microsoft.com/v1.0/$metadata and in
//     https://github.com/microsoftgraph/msgraph-metadata (clean_v10_metadata);
//   - -permissions: permissions/new/permissions.json of
//     https://github.com/microsoftgraph/microsoft-graph-devx-content;
//   - -halo: HaloPSA's OpenAPI document, published at https://usehalo.com/swagger/.
//
// A file whose name ends in .gz is decompressed. Sources that are not given
// leave their index as it is:
//
//	go run ./internal/specindex/generate -csdl FILE -permissions FILE -halo FILE -out internal/specindex
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// part makes one index from one source: it reads the official description and
// returns the text of the index.
type part struct {
	flag, usage string
	file        string // name of the index in the output directory
	index       func(io.Reader) ([]byte, error)
}

func parts() []part {
	return []part{
		{"csdl", "Graph v1.0 metadata (CSDL XML)", "graph_types.txt", graphTypes},
		{"permissions", "Graph permissions.json", "graph_permissions.txt", graphPermissions},
		{"halo", "HaloPSA OpenAPI document (JSON)", "halo.txt", haloAPI},
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	out := flag.String("out", "internal/specindex", "directory of the indexes")
	sources := map[string]*string{}
	for _, p := range parts() {
		sources[p.flag] = flag.String(p.flag, "", p.usage)
	}
	flag.Parse()
	for _, p := range parts() {
		if source := *sources[p.flag]; source != "" {
			if err := write(p, source, filepath.Join(*out, p.file)); err != nil {
				return fmt.Errorf("%s: %w", source, err)
			}
		}
	}
	return nil
}

func write(p part, source, target string) error {
	original, err := os.ReadFile(source) //nolint:gosec // named on the command line
	if err != nil {
		return err
	}
	var in io.Reader = bytes.NewReader(original)
	if strings.HasSuffix(source, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return err
		}
	}
	text, err := p.index(in)
	if err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o644) //nolint:gosec // source text, readable by all
}
