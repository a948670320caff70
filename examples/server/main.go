// Command server offers the tools of Microsoft 365 and HaloPSA to MCP clients,
// over stdio or, with -http, over streamable HTTP on this machine.
//
//	go run ./examples/server -demo        # on in-memory systems; needs no account
//	go run ./examples/server -list        # what it offers, then exit
//	go run ./examples/server -check       # sign in and say what is missing
//
// Credentials come from the environment; -help lists the variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// gcPercent is the GOGC of the server. What stays in memory is a few MB of
// schemas, which the default collects several times while they are made and
// then anew every dozen calls: a third of the processor time.
const gcPercent = 400

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := program{env: os.Getenv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	if err := p.run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) { // help that was asked for is no failure
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// program is what the process gets from outside.
type program struct {
	env            func(string) string
	stdin          *os.File
	stdout, stderr io.Writer
}

// run is the whole program. It returns when it is done, or when ctx ends.
func (p program) run(ctx context.Context, args []string) error {
	if p.env("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	config, err := parse(args, p.env, p.stderr)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(p.stderr, nil))
	switch {
	case config.login:
		return login(ctx, config, p.stdout)
	case config.logout:
		return logout(ctx, config, p.stdout)
	case config.accounts:
		return accounts(ctx, config, p.stdout)
	}
	systems, left, closeSystems, err := connect(config)
	if err != nil {
		return err
	}
	defer closeSystems()
	tools, err := choose(config, systems)
	if err != nil {
		return err
	}
	switch {
	case config.list:
		return printTools(p.stdout, config, tools)
	case config.check:
		return check(ctx, p.stdout, systems, left, tools)
	}
	for _, one := range left {
		logger.Warn(one.system.title+" is left out", "reason", one.err)
	}
	tools = guard(config, tools, logger)
	server := newServer(systems, tools)
	greet := func(endpoint string) {
		if isTerminal(p.stdin) {
			explain(p.stderr, config, tools, endpoint)
		}
	}
	if config.http != "" {
		return serveHTTP(ctx, config.http, server, logger, greet)
	}
	greet("")
	return serveStdio(ctx, server)
}

// isTerminal reports whether a person sits at the other end of f. The null device
// looks like a terminal, and services have it as their input.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
