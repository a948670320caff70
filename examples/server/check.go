package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// check signs in to each system with its whoami tool and prints what it says.
func check(ctx context.Context, w io.Writer, systems []system, left []connected, tools mcptools.Set) error {
	failed := 0
	fail := func(s system, err error) {
		failed++
		fmt.Fprintf(w, "%s: FAILED\n  %s\n", s.title, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	for _, s := range systems {
		result, err := checkOne(ctx, w, s)
		if err != nil {
			fail(s, err)
			continue
		}
		fmt.Fprintf(w, "%s: ok\n  %s\n", s.title, result.Value)
	}
	for _, one := range left {
		fail(one.system, one.err)
	}
	fmt.Fprintf(w, "%d tools would be offered\n", tools.Len())
	if failed > 0 {
		return fmt.Errorf("%d of %d systems failed", failed, len(systems)+len(left))
	}
	return nil
}

func checkOne(ctx context.Context, w io.Writer, s system) (*mcptools.Result, error) {
	if s.person != nil {
		if err := s.person.ensure(ctx, func(todo string) { fmt.Fprintf(w, "%s: please %s\n", s.title, todo) }); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.tools.Call(ctx, s.whoami, nil)
}
