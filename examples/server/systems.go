package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// system is one of the services that the server offers.
type system struct {
	name         string // as -systems names it
	title        string
	tools        mcptools.Set
	preset       func(name string) (mcptools.Filter, bool)
	whoami       string // the tool for -check
	instructions string
	person       *personSource // who signs in, if it is a person
}

// connect prepares the systems. It signs in nowhere: that happens at the first
// call that needs it. What is left is begun but not complete: nobody sets half of
// a system's variables to do without it.
func connect(c config) (systems []system, left []connected, closeAll func(), err error) {
	var closers []func()
	closeAll = func() {
		for _, closeOne := range closers {
			closeOne()
		}
	}
	var missing []string
	for _, made := range connectEach(c) {
		switch {
		case made.err == nil:
			systems = append(systems, made.system)
			closers = append(closers, made.close)
		case errors.Is(made.err, errNotConfigured) && !c.explicit:
			missing = append(missing, made.err.Error())
			if c.begun(made.system.name) {
				left = append(left, made)
			}
		case err == nil:
			err = made.err
		}
	}
	if err != nil {
		closeAll()
		return nil, nil, nil, err
	}
	if len(systems) == 0 {
		return nil, nil, nil, fmt.Errorf("nothing is configured:\n  %s\nTry -demo, or -help for all settings", strings.Join(missing, "\n  "))
	}
	return systems, left, closeAll, nil
}

// begun reports whether any variable of the system is set.
func (c config) begun(system string) bool {
	return slices.ContainsFunc(slices.Concat(settings, secretSettings), func(name string) bool {
		return strings.HasPrefix(name, strings.ToUpper(system)+"_") && c.env(name) != ""
	})
}

// connected is what became of one system.
type connected struct {
	system system
	close  func()
	err    error
}

// connectEach prepares the systems side by side, since making the schemas of
// their tools is most of what happens before the server answers.
func connectEach(c config) []connected {
	made := make([]connected, len(c.systems))
	var all sync.WaitGroup
	for i, name := range c.systems {
		connectOne := connectM365
		if name == "halo" {
			connectOne = connectHalo
		}
		all.Go(func() { made[i].system, made[i].close, made[i].err = connectOne(c) })
	}
	all.Wait()
	return made
}

// errNotConfigured is wrapped by errors that name missing settings.
var errNotConfigured = errors.New("not configured")

// require returns an error that names the settings without a value.
func require(c config, title string, names ...string) error {
	var missing []string
	for _, name := range names {
		if c.env(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s is %w; set %s", title, errNotConfigured, strings.Join(missing, ", "))
}

func connectM365(c config) (system, func(), error) {
	s := system{name: "m365", title: "Microsoft 365", preset: graph.Preset, whoami: "m365_whoami", instructions: graph.Instructions}
	source, options, closeSource, err := m365Source(c)
	if err != nil {
		return s, nil, err
	}
	client, err := graph.New(source, options)
	if err != nil {
		closeSource()
		return s, nil, fmt.Errorf("M365_GRAPH_URL: %w", err) // the only option that can be wrong
	}
	s.tools = client.Tools()
	s.person, _ = source.(*personSource)
	return s, closeSource, nil
}

func m365Source(c config) (auth.TokenSource, graph.Options, func(), error) {
	nothing := func() {}
	if c.demo {
		fake := graphtest.New(graphtest.Options{})
		return auth.Static(fake.Token()), graph.Options{BaseURL: fake.URL()}, fake.Close, nil
	}
	cloud, ok := graph.CloudNamed(c.env("M365_CLOUD"))
	if !ok {
		return nil, graph.Options{}, nil, fmt.Errorf("M365_CLOUD: there is no %q; there are global, gcc-high, dod and china", c.env("M365_CLOUD"))
	}
	if login := c.env("M365_LOGIN_URL"); login != "" {
		cloud.Login = auth.Cloud(login)
	}
	options := graph.Options{Cloud: cloud, BaseURL: c.env("M365_GRAPH_URL")}
	if token := c.env("M365_ACCESS_TOKEN"); token != "" || c.list {
		return auth.Static(token), options, nothing, nil
	}
	source, err := m365SignIn(c, cloud)
	if err != nil {
		return nil, options, nil, err
	}
	return source, options, source.Close, nil
}

func connectHalo(c config) (system, func(), error) {
	s := system{name: "halo", title: "HaloPSA", preset: halopsa.Preset, whoami: "halo_whoami", instructions: halopsa.Instructions}
	source, address, closeAll, err := haloSource(c)
	if err != nil {
		return s, nil, err
	}
	client, err := halopsa.New(source, halopsa.Options{URL: address, OnPremises: c.onPremises()})
	if err != nil {
		closeAll()
		return s, nil, fmt.Errorf("HALO_URL: %w", err) // the only option that can be wrong
	}
	s.tools = client.Tools()
	return s, closeAll, nil
}

func haloSource(c config) (source auth.TokenSource, address string, closeAll func(), err error) {
	nothing := func() {}
	if c.demo {
		fake := halotest.New(halotest.Options{})
		source, err := halopsa.NewSource(halopsa.Credentials{
			URL: fake.URL(), ClientID: halotest.ClientID, ClientAuth: auth.WithSecret(auth.NewSecret(halotest.ClientSecret)),
		})
		if err != nil {
			fake.Close()
			return nil, "", nil, err
		}
		return source, fake.URL(), func() { source.Close(); fake.Close() }, nil
	}
	if c.list {
		return auth.Static("none"), "https://psa.example", nothing, nil
	}
	if key := c.env("HALO_API_KEY"); key != "" {
		if err := require(c, "HaloPSA", "HALO_URL"); err != nil {
			return nil, "", nil, err
		}
		return auth.APIKey(auth.HaloKeyHeader, auth.NewSecret(key)), c.env("HALO_URL"), nothing, nil
	}
	proof := c.secret("HALO_CLIENT_SECRET")
	needs := []string{"HALO_URL", "HALO_CLIENT_ID"}
	if proof.IsZero() {
		needs = append(needs, "HALO_CLIENT_SECRET")
	}
	if err := require(c, "HaloPSA", needs...); err != nil {
		return nil, "", nil, err
	}
	if address := c.env("HALO_AUTH_URL"); address != "" {
		if _, err := auth.Halo(address, ""); err != nil {
			return nil, "", nil, fmt.Errorf("HALO_AUTH_URL: %w", err)
		}
	}
	halo, err := halopsa.NewSource(halopsa.Credentials{
		URL: c.env("HALO_URL"), AuthURL: c.env("HALO_AUTH_URL"), Tenant: c.env("HALO_TENANT"),
		OnPremises: c.onPremises(), ClientID: c.env("HALO_CLIENT_ID"), ClientAuth: proof, Scopes: strings.Fields(c.env("HALO_SCOPE")),
	})
	if err != nil { // the rest is there
		return nil, "", nil, fmt.Errorf("HALO_URL: %w", err)
	}
	return halo, c.env("HALO_URL"), halo.Close, nil
}
