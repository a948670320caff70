package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// explain tells a person who started the server by hand what it is for. Endpoint
// is its address, or empty if it is on stdin and stdout.
func explain(w io.Writer, c config, tools mcptools.Set, endpoint string) {
	how := "a client such as Claude, VS Code or Cursor starts it and\ntalks to it over stdin and stdout"
	if endpoint != "" {
		how = "a client such as Claude, VS Code or Cursor talks to it\nover HTTP as long as it runs"
	}
	fmt.Fprintf(w, `This is an MCP server: %s. It offers %d tools and waits for a client now.
Press Ctrl-C to end it; -list shows the tools, -check tries the sign-in.

Paste this into the configuration of your client:

`, how, tools.Len())
	configuration, err := json.MarshalIndent(map[string]any{"mcpServers": map[string]any{"toolbelt": c.entry(endpoint)}}, "", "  ")
	if err != nil {
		return
	}
	fmt.Fprintf(w, "%s\n\n(VS Code names the outer key \"servers\" instead of \"mcpServers\".)\n", configuration)
}

// entry is what a client needs to know of this server.
func (c config) entry(endpoint string) map[string]any {
	if endpoint != "" {
		return map[string]any{"type": "http", "url": endpoint}
	}
	command, args := startAgain()
	entry := map[string]any{"command": command, "args": append(args, c.arguments()...)}
	if !c.demo {
		entry["env"] = environment(c)
	}
	return entry
}

// arguments are the flags for a client to start the server with. All of them:
// who pastes the configuration must not lose a guard. A client starts the server
// in a directory of its own.
func (c config) arguments() []string {
	args := []string{}
	for _, arg := range c.given {
		if directory, ok := strings.CutPrefix(arg, "-store="); ok && directory != "none" {
			arg = "-store=" + absolute(directory)
		}
		args = append(args, arg)
	}
	return args
}

// absolute returns the path as it is named from any directory.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil && path != "" {
		return full
	}
	return path
}

// startAgain returns the command that starts this server, and the arguments that
// go before the flags. The program that "go run" makes is deleted when it ends,
// so there it is "go run" again.
func startAgain() (command string, args []string) {
	command, err := os.Executable()
	if err != nil {
		return "server", nil
	}
	build, ok := debug.ReadBuildInfo()
	goTool, err := exec.LookPath("go") // by its full path: clients have a PATH of their own
	directory, err2 := os.Getwd()
	if !ok || err != nil || err2 != nil || !isPassing(command) {
		return command, nil
	}
	if build.Main.Sum != "" { // go run example.com/server@v1.2.3, which works anywhere
		return goTool, []string{"run", build.Path + "@" + build.Main.Version}
	}
	return goTool, []string{"run", "-C", directory, build.Path}
}

// isPassing reports whether a program lies where "go run" puts what it builds:
// in a temporary directory or in the build cache, by name go-build both.
func isPassing(program string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(program), "/"), func(element string) bool {
		return strings.HasPrefix(element, "go-build")
	})
}

// The variables that configure a system: what may be shown, and what not.
var (
	settings = []string{
		"M365_TENANT_ID", "M365_CLIENT_ID", "M365_CLIENT_SECRET_FILE", "M365_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE",
		"M365_MANAGED_IDENTITY", "M365_CLOUD", "M365_GRAPH_URL", "M365_LOGIN_URL",
		"HALO_URL", "HALO_AUTH_URL", "HALO_TENANT", "HALO_CLIENT_ID", "HALO_CLIENT_SECRET_FILE", "HALO_SCOPE", "HALO_ON_PREMISES",
	}
	secretSettings = []string{"M365_CLIENT_SECRET", "M365_ACCESS_TOKEN", "HALO_CLIENT_SECRET", "HALO_API_KEY"}
)

// environment lists the settings in use. Secrets are never printed.
func environment(c config) map[string]string {
	values := map[string]string{}
	for _, name := range settings {
		value := c.env(name)
		if strings.HasSuffix(name, "_FILE") || strings.HasSuffix(name, "_PATH") {
			value = absolute(value)
		}
		if value != "" {
			values[name] = value
		}
	}
	for _, name := range secretSettings {
		if c.env(name) != "" {
			values[name] = "…"
		}
	}
	return values
}
