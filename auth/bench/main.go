// Command bench measures this module's token source against the ones that
// others offer: golang.org/x/oauth2, MSAL for Go and azidentity. Everything
// happens on loopback. It prints the table of the README:
//
//	go run ./auth/bench
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

func main() {
	callers := flag.Int("callers", 1000, "how many callers come at once")
	flag.Parse()
	if err := report(os.Stdout, *callers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// report measures every client in every check.
func report(w io.Writer, callers int) error {
	all := clients()
	names, rule := []string{"check"}, "|---"
	for _, c := range all {
		names, rule = append(names, c.name), rule+"|---"
	}
	if _, err := fmt.Fprintf(w, "%s %s/%s, %d processors\n\n| %s |\n%s|\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), strings.Join(names, " | "), rule); err != nil {
		return err
	}
	for _, check := range checks(callers) {
		cells := []string{check.name}
		for _, c := range all {
			result, err := check.measure(c)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", check.name, c.name, err)
			}
			cells = append(cells, result)
		}
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")); err != nil {
			return err
		}
	}
	return nil
}
