// Command quickstart is a tour in ten seconds. It starts a made-up company in
// memory (a Microsoft 365 tenant and a HaloPSA instance that speak the real wire
// format over HTTP), connects an MCP client to a server that offers the tools,
// and lets the client work through a morning at a service desk.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	color := os.Getenv("NO_COLOR") == ""
	if info, err := os.Stdout.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		color = false
	}
	if err := tour(context.Background(), &page{out: os.Stdout, color: color}); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}
