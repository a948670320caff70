package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// kind is who signs in to Microsoft 365, which has scopes of its own for each.
type kind string

const (
	unknown     kind = ""
	person      kind = "person"
	application kind = "application"
)

// kind returns who signs in by the environment; nobody knows while it is empty.
// HaloPSA's scopes are the same for all.
func (c config) kind() kind {
	switch {
	case c.demo, !slices.Contains(c.systems, "m365"):
		return person
	case c.env("M365_ACCESS_TOKEN") != "":
		claims, ok := auth.DecodeClaims(c.env("M365_ACCESS_TOKEN"))
		switch {
		case !ok:
			return unknown
		case claims.AppOnly:
			return application
		}
		return person
	case c.managedIdentity() != "":
		return application
	case c.device:
		return person
	case !c.secret("M365_CLIENT_SECRET").IsZero(), c.env("M365_CLIENT_CERTIFICATE_PATH") != "", c.env("AZURE_FEDERATED_TOKEN_FILE") != "":
		return application
	case c.begun("m365"):
		return person
	}
	return unknown
}

// scopes are what a tool needs, as the table shows it.
func (k kind) scopes(all mcptools.Scopes) string {
	list := all.Delegated
	if k == application {
		list = all.Application
	}
	if list == nil { // none is something else: an empty list
		return "not for " + map[kind]string{person: "a person", application: "an application"}[k]
	}
	return strings.Join(list, " ")
}

// printTools writes the table of -list, with the scopes of whoever signs in. An
// administrator who grants those of the other kind grants nothing that is used.
func printTools(w io.Writer, c config, tools mcptools.Set) error {
	kinds, heading, note := []kind{c.kind()}, "SCOPES", fmt.Sprintf("Scopes are those of the %s that signs in.", c.kind())
	if kinds[0] == unknown {
		kinds, heading = []kind{person, application}, "SCOPES OF A PERSON\tSCOPES OF AN APPLICATION"
		note = "Scopes are those of a person who signs in, and of an application that signs in as itself."
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TOOL\tTOOLSET\tEFFECT\tMARKS\tTOKENS\t"+heading)
	total := 0
	for tool := range tools.All() {
		spec := tool.Spec()
		tokens := (tool.Cost() + 3) / 4
		total += tokens
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d", spec.Name, spec.Toolset, spec.Effect, spec.Marks, tokens)
		for _, k := range kinds {
			fmt.Fprintf(table, "\t%s", k.scopes(spec.Scopes))
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintf(table, "%d tools\t\t\t\t%d\t\n", tools.Len(), total)
	if err := table.Flush(); err != nil || !slices.Contains(c.systems, "m365") {
		return err
	}
	_, err := fmt.Fprintln(w, note)
	return err
}
