package graph

import (
	"slices"
	"strings"
)

// covers reports whether one of the granted permissions allows what the wanted
// one does: itself, a stronger one for the same resource, its form for shared
// mailboxes, or one for the whole directory.
//
// https://learn.microsoft.com/graph/permissions-reference
func covers(granted []string, wanted string) bool {
	return slices.ContainsFunc(granted, func(one string) bool { return one == wanted || implies(one, wanted) })
}

// strengths orders the verbs of permissions; a stronger one includes the weaker.
func strength(verb string) int {
	return slices.Index([]string{"ReadBasic", "Read", "ReadWrite"}, verb) + 1
}

func implies(granted, wanted string) bool {
	if granted == "Directory.Read.All" || granted == "Directory.ReadWrite.All" {
		resource, verb, _ := strings.Cut(wanted, ".")
		switch resource {
		case "User", "Group", "GroupMember", "Organization", "Device", "Domain":
			return verb == "Read.All" || verb == "ReadBasic.All" || verb == "Read"
		}
	}
	have, want := strings.Split(granted, "."), strings.Split(wanted, ".")
	if len(have) < 2 || len(want) < 2 {
		return false
	}
	if have[0] != want[0] && (have[0] != "Group" || want[0] != "GroupMember") {
		return false
	}
	if strength(have[1]) == 0 || strength(want[1]) == 0 || strength(have[1]) < strength(want[1]) {
		return false
	}
	// What is allowed for all, or also for shared mailboxes, is allowed for one.
	// An application's roles for mail are for all mailboxes in any case.
	return len(want) == 2 || len(have) == 2 && have[0] == "Mail" && want[2] == "All" || len(have) == 3 && have[2] == want[2]
}

// lacks lists the permissions of a tool that are not granted.
func lacks(granted, wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(one string) bool { return covers(granted, one) })
}
