package graphtest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// Inbox rules: https://learn.microsoft.com/graph/api/resources/messagerule

func ruleListing(rows []item) listing {
	return listing{kinds: []string{"messageRule"}, items: rows, top: 100, maxTop: 1000}
}

func ruleItem(rule object) item {
	return item{rule, func(prefs) object { return maps.Clone(rule) }, nil}
}

// onlyInbox refuses rules on other folders: Exchange has them on the inbox.
func (c *call) onlyInbox() error {
	f, err := c.folder()
	if err == nil && f.wellKnown != "inbox" {
		err = failf(http.StatusBadRequest, "ErrorInvalidRequest", "Rules are supported on the inbox only.")
	}
	return err
}

func listRules(c *call) (reply, error) {
	if err := c.onlyInbox(); err != nil {
		return reply{}, err
	}
	var rows []item
	for _, rule := range c.owner.box.rules {
		rows = append(rows, ruleItem(rule))
	}
	return c.list(ruleListing(rows))
}

func (c *call) rule() (object, error) {
	if err := c.onlyInbox(); err != nil {
		return nil, err
	}
	for _, rule := range c.owner.box.rules {
		if rule["id"] == c.ids[2] {
			return rule, nil
		}
	}
	return nil, errNotFound()
}

func getRule(c *call) (reply, error) {
	rule, err := c.rule()
	if err != nil {
		return reply{}, err
	}
	return c.one(ruleListing(nil), ruleItem(rule))
}

func createRule(c *call) (reply, error) {
	if err := c.onlyInbox(); err != nil {
		return reply{}, err
	}
	body, err := c.ruleBody()
	if err != nil {
		return reply{}, err
	}
	if textAt(body, "displayName") == "" || len(asObject(body["actions"])) == 0 {
		c.violate(fakehttp.WrongKind, "a rule needs displayName and actions")
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "A rule needs a display name and at least one action.")
	}
	rule := c.addRule(c.owner.box, textAt(body, "displayName"), body)
	return created(c.entity(maps.Clone(rule))), nil
}

func (t *tenant) addRule(b *mailbox, name string, body object) object {
	rule := object{"sequence": len(b.rules) + 1, "isEnabled": true, "hasError": false, "isReadOnly": false, "conditions": nil, "exceptions": nil}
	maps.Copy(rule, body)
	rule["id"] = base64.RawURLEncoding.EncodeToString([]byte("AQAA" + changeKey(t.item(), 0)[8:14]))
	rule["displayName"] = name
	b.rules = append(b.rules, rule)
	return rule
}

// ruleBody reads a rule and refuses folders that do not exist.
func (c *call) ruleBody() (object, error) {
	body, err := c.decode("messageRule")
	if err != nil {
		return nil, err
	}
	c.ignored(body, "id", "hasError", "isReadOnly")
	actions := asObject(body["actions"])
	for _, name := range []string{"moveToFolder", "copyToFolder"} {
		id, given := actions[name].(string)
		if !given {
			continue
		}
		if f := c.owner.box.folder(id); f == nil || strings.EqualFold(f.wellKnown, id) {
			c.violate(fakehttp.WrongKind, "%s takes the id of a folder, not %q", name, id)
			return nil, failf(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
		}
	}
	return body, nil
}

func updateRule(c *call) (reply, error) {
	rule, err := c.rule()
	if err != nil {
		return reply{}, err
	}
	body, err := c.ruleBody()
	if err != nil {
		return reply{}, err
	}
	maps.Copy(rule, body)
	return c.one(ruleListing(nil), ruleItem(rule))
}

func deleteRule(c *call) (reply, error) {
	rule, err := c.rule()
	if err != nil {
		return reply{}, err
	}
	id := rule["id"]
	c.owner.box.rules = slices.DeleteFunc(c.owner.box.rules, func(r object) bool { return r["id"] == id })
	return noContent(), nil
}

func asObject(value any) object { o, _ := value.(object); return o }
