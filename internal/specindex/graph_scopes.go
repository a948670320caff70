package specindex

import "strings"

// Scopes are the permissions of Microsoft Graph that a method of a path
// accepts, sorted, for delegated access with a work account and for an app on
// its own.
type Scopes struct {
	Delegated, Application []string
	// LeastDelegated and LeastApplication are those that Microsoft marks as
	// least privileged. The map has noise: there may be none or several, and
	// it lists no .Shared permissions.
	LeastDelegated, LeastApplication []string
}

// LeastScopes returns the permissions for a method of a path template such as
// "/me/messages/{id}". Case and the names of placeholders do not matter.
func (g *GraphIndex) LeastScopes(method, template string) (Scopes, bool) {
	s, ok := g.scopes[method+" "+canonicalTemplate(template)]
	return s, ok
}

func (g *GraphIndex) parseScopes(text string) {
	path := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		methods, rest, ok := strings.Cut(line, "\t")
		if !ok {
			path = canonicalTemplate(line)
			continue
		}
		delegated, application, _ := strings.Cut(rest, "\t")
		var s Scopes
		s.Delegated, s.LeastDelegated = parsePermissions(delegated)
		s.Application, s.LeastApplication = parsePermissions(application)
		for method := range strings.SplitSeq(methods, ",") {
			g.scopes[method+" "+path] = s
		}
	}
}

func parsePermissions(text string) (all, least []string) {
	if text == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		name, marked := strings.CutSuffix(name, "!")
		all = append(all, name)
		if marked {
			least = append(least, name)
		}
	}
	return all, least
}

func canonicalTemplate(template string) string {
	segments := strings.Split(strings.ToLower(strings.Trim(template, "/")), "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}
