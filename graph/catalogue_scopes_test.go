package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// operations notes the requests that pass, as a method and a path template; of
// a batch, those in it.
type operations struct {
	base http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (o *operations) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0")
	if path != "/$batch" {
		o.note(r.Method, path)
		return o.base.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	var batch struct {
		Requests []struct{ Method, URL string } `json:"requests"`
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, err
	}
	for _, part := range batch.Requests {
		path, _, _ := strings.Cut(part.URL, "?")
		o.note(part.Method, path)
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return o.base.RoundTrip(r)
}

func (o *operations) note(method, path string) {
	target, err := specindex.Graph().Resolve(method, path)
	template := target.Template
	if err != nil {
		template = path
	}
	if strings.Contains(path, "/inbox/messageRules") { // the map knows rules of this folder only
		template = strings.Replace(template, "/{id}/messageRules", "/inbox/messageRules", 1)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if operation := method + " " + template; !slices.Contains(o.seen, operation) {
		o.seen = append(o.seen, operation)
	}
}

func (o *operations) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.seen
	o.seen = nil
	return seen
}

// exception is a place where a tool's permissions and Microsoft's map differ
// for a reason. An operation ends with its text; no tool means any.
type exception struct{ tool, what, reason string }

// unneeded are operations whose permission the tool does not declare.
func unneeded() []exception {
	return []exception{
		{"", "/mailboxSettings", "only for the time zone: UTC where it may not be read"},
		{"m365_user_get", "/licenseDetails", "a part that may not be read is reported as missing"},
		{"m365_user_get", "/authentication/methods", "a part that may not be read is reported as missing"},
		{"m365_user_get", "/messageRules", "a part that may not be read is reported as missing"},
		{"m365_user_get", "/transitiveMemberOf", "a part that may not be read is reported as missing"},
		{"m365_mail_rule_edit", "/mailFolders", "only to find a folder by its name"},
		{"m365_mail_rule_edit", "/mailFolders/{id}", "only to find a folder by its name"},
		{"m365_mail_rule_edit", "/childFolders", "only to find a folder by its name"},
		{"m365_people_find", "GET /me/people", "not made for an application"},
		{"m365_whoami", "GET /me", "not made for an application"},
	}
}

// notLeast are permissions that Microsoft's map does not mark as the least.
func notLeast() []exception {
	return []exception{
		{"m365_search", "Calendars.Read", "each type needs that of its own; the map marks mail's alone"},
		{"m365_search", "Files.Read.All", "each type needs that of its own; the map marks mail's alone"},
		{"m365_whoami", "Organization.Read.All", "the map marks one of Intune as the least"},
		{"m365_users_find", "User.Read.All", "department, licences and whether an account is enabled are beyond User.ReadBasic.All"},
		{"m365_groups_find", "GroupMember.Read.All", "owners are beyond Group.ReadBasic.All"},
		{"m365_mail_search", "Mail.Read", "previews and searching in bodies are beyond Mail.ReadBasic"},
		{"m365_mail_reply", "Mail.Send", "to send the reply, which the call of this test leaves as a draft"},
		{"m365_cal_get", "Calendars.Read", "the body is beyond Calendars.ReadBasic"},
	}
}

// unmapped are operations that Microsoft's map does not have.
func unmapped() []exception {
	return []exception{
		{"", "/calendar/calendarPermissions", "documented with Calendars.Read to list and Calendars.ReadWrite to change"},
		{"", "/attachments/{id}/$value", "documented with Mail.Read"},
	}
}

func excepted(list []exception, tool, what string) bool {
	return slices.ContainsFunc(list, func(e exception) bool {
		return (e.tool == "" || e.tool == tool) && strings.HasSuffix(what, e.what)
	})
}

// TestScopes checks that the permissions which the tools declare suffice for
// the requests that they make, and are the least that do, by Microsoft's map.
func TestScopes(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	seen := &operations{base: resilience.NewBase()}
	s.signIn(t, s.fake.Token(), graph.Options{Resilience: resilience.Options{Base: seen}})
	made := map[string][]string{}
	session := catalogtest.Connect(t, s.tools)
	results := catalogtest.Results{}
	for _, call := range catalogueCalls() {
		a := args{}
		maps.Copy(a, call.Args)
		if call.With != nil {
			maps.Copy(a, call.With(results))
		}
		if result, failure := catalogtest.Invoke(t, session, call.Tool, a); failure == "" {
			results[call.Tool] = append(results[call.Tool], result)
		}
		made[call.Tool] = append(made[call.Tool], seen.take()...)
	}
	for name, operations := range made {
		tool, ok := s.tools.Tool(name)
		if !ok {
			t.Errorf("there is no tool %s", name)
			continue
		}
		checkScopes(t, tool.Spec(), operations)
	}
}

func checkScopes(t *testing.T, spec mcptools.Spec, operations []string) {
	t.Helper()
	leastDelegated, leastApplication := map[string]bool{}, map[string]bool{}
	for _, operation := range operations {
		method, template, _ := strings.Cut(operation, " ")
		ofUser := template
		if rest, own := strings.CutPrefix(template, "/me"); own && (rest == "" || rest[0] == '/') {
			ofUser = "/users/{id}" + rest
		}
		delegated, mapped := specindex.Graph().LeastScopes(method, template)
		application, mappedForUser := specindex.Graph().LeastScopes(method, ofUser)
		if !mapped {
			delegated = application
		}
		if !mapped && !mappedForUser {
			if !excepted(unmapped(), spec.Name, operation) {
				t.Errorf("%s: %s is not in the map", spec.Name, operation)
			}
			continue
		}
		note(leastDelegated, delegated.LeastDelegated)
		note(leastApplication, application.LeastApplication)
		if excepted(unneeded(), spec.Name, operation) {
			continue
		}
		if !suffices(spec.Scopes.Delegated, delegated.Delegated) {
			t.Errorf("%s: %v does not suffice for a user's %s, which takes %v", spec.Name, spec.Scopes.Delegated, operation, delegated.Delegated)
		}
		if spec.Scopes.Application != nil && !suffices(spec.Scopes.Application, application.Application) {
			t.Errorf("%s: %v does not suffice for an application's %s, which takes %v", spec.Name, spec.Scopes.Application, operation, application.Application)
		}
	}
	for _, scope := range spec.Scopes.Delegated {
		if len(leastDelegated) > 0 && !leastDelegated[scope] && !excepted(notLeast(), spec.Name, scope) {
			t.Errorf("%s: %s is not the least for a user: %v", spec.Name, scope, operations)
		}
	}
	for _, scope := range spec.Scopes.Application {
		if len(leastApplication) > 0 && !leastApplication[scope] && !excepted(notLeast(), spec.Name, scope) {
			t.Errorf("%s: %s is not the least for an application: %v", spec.Name, scope, operations)
		}
	}
}

func note(set map[string]bool, names []string) {
	for _, name := range names {
		set[name] = true
	}
}

// suffices reports whether one of the declared permissions is accepted. The map
// forgets some stronger ones: who may write may read.
func suffices(declared, accepted []string) bool {
	return slices.ContainsFunc(declared, func(scope string) bool {
		return slices.Contains(accepted, scope) || slices.Contains(accepted, strings.Replace(scope, "ReadWrite", "Read", 1))
	})
}
