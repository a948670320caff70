package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// config is what flags and environment ask for.
type config struct {
	demo     bool
	http     string
	systems  []string
	explicit bool // the systems were named by a flag, so each must be configured
	preset   string
	toolsets []string
	tools    []string
	readOnly bool
	confirm  string
	list     bool
	check    bool
	device   bool
	store    string
	login    bool
	logout   bool
	accounts bool
	given    []string // the flags as they were given, for another start
	env      func(string) string
}

const environmentHelp = `
Environment, Microsoft 365. The first of these ways to sign in that is set is used:
  M365_ACCESS_TOKEN             a token that you already have; needs nothing else
  M365_MANAGED_IDENTITY         in Azure: "system", or the client id of a user-assigned
                                identity; needs nothing else
  M365_CLIENT_SECRET            the application signs in as itself with its secret,
  M365_CLIENT_SECRET_FILE       with the secret in a file, read again at each sign-in,
  M365_CLIENT_CERTIFICATE_PATH  with a PEM file of its certificate and private key, or
  AZURE_FEDERATED_TOKEN_FILE    with a token of another identity provider (Kubernetes)
  (none of them)                a person signs in, with the browser or, with -device,
                                with a code on another device
and with all but the first two:
  M365_TENANT_ID                tenant id or domain
  M365_CLIENT_ID                id of the Entra app registration
Further:
  M365_CLOUD                    global (default), gcc-high, dod or china
  M365_GRAPH_URL                another address of Graph, such as http://127.0.0.1:8080/v1.0
  M365_LOGIN_URL                another address of the sign-in service

Environment, HaloPSA:
  HALO_URL                      address of the instance
  HALO_API_KEY                  a static API key, which needs only the address, or
  HALO_CLIENT_ID                id of the API application, and
  HALO_CLIENT_SECRET            its secret, or
  HALO_CLIENT_SECRET_FILE       a file with it, read again at each sign-in
  HALO_SCOPE                    scopes, default "all"
  HALO_AUTH_URL                 address of the authorisation server; found by itself otherwise
  HALO_TENANT                   tenant name; found by itself otherwise
  HALO_ON_PREMISES              "true" if the instance has an address of a private network
`

// parse reads the flags. Errors of the flag package are already printed.
func parse(args []string, env func(string) string, stderr io.Writer) (config, error) {
	c := config{env: withoutPlaceholders(env)}
	var systems, toolsets, tools string
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&c.demo, "demo", false, "use in-memory systems with a made-up company; needs no account")
	flags.StringVar(&c.http, "http", "", "listen on this loopback `address`, such as 127.0.0.1:8931, and serve /mcp instead of stdio")
	flags.StringVar(&systems, "systems", "m365,halo", "systems to offer")
	flags.StringVar(&c.preset, "preset", "user", "tools to offer: user, technician or all")
	flags.StringVar(&toolsets, "toolsets", "", "offer these toolsets instead of a preset, such as mail,tickets")
	flags.StringVar(&tools, "tools", "", "offer these tools instead of a preset; * matches any text")
	flags.BoolVar(&c.readOnly, "read-only", false, "offer only tools that change nothing")
	flags.StringVar(&c.confirm, "confirm", "risky", "calls that a person must confirm: risky (destructive, seen by others, privileged or financial), writes or none")
	flags.BoolVar(&c.list, "list", false, "print the tools with their effect, scopes and cost, and exit")
	flags.BoolVar(&c.check, "check", false, "sign in to each system, make one harmless call, say what is missing, and exit")
	flags.BoolVar(&c.device, "device", false, "let a person sign in to Microsoft 365 with a code on another device")
	flags.StringVar(&c.store, "store", "", "keep sign-ins of people, encrypted, in this `directory`, or nowhere with none (default toolbelt in the user's configuration)")
	flags.BoolVar(&c.login, "login", false, "let a person sign in to Microsoft 365 now, and exit")
	flags.BoolVar(&c.logout, "logout", false, "forget all sign-ins in the store, and exit")
	flags.BoolVar(&c.accounts, "accounts", false, "print the sign-ins in the store, and exit")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "server offers Microsoft 365 and HaloPSA to MCP clients.\n\nFlags:")
		flags.PrintDefaults()
		fmt.Fprint(stderr, environmentHelp)
	}
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	c.systems, c.toolsets, c.tools = split(systems), split(toolsets), split(tools)
	flags.Visit(func(f *flag.Flag) {
		c.explicit = c.explicit || f.Name == "systems"
		c.given = append(c.given, spelt(f))
	})
	return c, c.validate()
}

// spelt is a flag as it can be given again.
func spelt(f *flag.Flag) string {
	if value, ok := f.Value.(flag.Getter); ok && value.Get() == true {
		return "-" + f.Name
	}
	return "-" + f.Name + "=" + f.Value.String()
}

func (c config) validate() error {
	for _, system := range c.systems {
		if system != "m365" && system != "halo" {
			return fmt.Errorf("-systems: there is no %q; there are m365 and halo", system)
		}
	}
	if len(c.systems) == 0 {
		return errors.New("-systems: name m365, halo or both")
	}
	if !slices.Contains([]string{"user", "technician", "all"}, c.preset) {
		return fmt.Errorf("-preset: there is no %q; there are user, technician and all", c.preset)
	}
	if _, err := c.needsConfirmation(); err != nil {
		return err
	}
	return nil
}

// needsConfirmation returns the tools that a person must confirm.
func (c config) needsConfirmation() (mcptools.Filter, error) {
	switch c.confirm {
	case "risky":
		return mcptools.Risky, nil
	case "writes":
		return mcptools.Not(mcptools.ReadOnlyTools), nil
	case "none":
		return func(mcptools.Spec) bool { return false }, nil
	}
	return nil, fmt.Errorf("-confirm: there is no %q; there are risky, writes and none", c.confirm)
}

// withoutPlaceholders treats settings that a client passes on unfilled, such as
// "${user_config.tenant}", as absent.
func withoutPlaceholders(env func(string) string) func(string) string {
	return func(name string) string {
		value := strings.TrimSpace(env(name))
		if strings.HasPrefix(value, "${") && strings.HasSuffix(value, "}") {
			return ""
		}
		return value
	}
}

// split returns the names of a list, each once: two systems of one name would
// offer each tool twice.
func split(list string) []string {
	var names []string
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// onPremises reports whether HaloPSA may have an address of a private network.
func (c config) onPremises() bool { return strings.EqualFold(c.env("HALO_ON_PREMISES"), "true") }
