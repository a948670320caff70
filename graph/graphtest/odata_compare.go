package graphtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// pathValue returns the value that a chain of properties leads to, or nil.
func pathValue(keys []string) func(object) any {
	return func(o object) any {
		var at any = o
		for _, key := range keys {
			inner, isObject := at.(object)
			if !isObject {
				return nil
			}
			at = inner[key]
		}
		return at
	}
}

// elements returns the members of a JSON array, however it is typed in Go.
func elements(value any) []any {
	switch list := value.(type) {
	case []any:
		return list
	case []string:
		out := make([]any, len(list))
		for i, s := range list {
			out[i] = s
		}
		return out
	case []object:
		out := make([]any, len(list))
		for i, o := range list {
			out[i] = o
		}
		return out
	}
	return nil
}

// compareOperands makes the test for "left op right", or refuses kinds that do
// not compare, as OData does: a quoted date is not a date.
func compareOperands(left operand, op string, right operand) (func(object) bool, error) {
	if right.path != "" && left.path == "" {
		left, right = right, left
		op = strings.NewReplacer("gt", "lt", "ge", "le", "lt", "gt", "le", "ge").Replace(op)
	}
	if !comparableKinds(left.kind, right.kind) {
		return nil, badFilter("A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s'.", left.kind, right.kind, op)
	}
	if name, isEnum := strings.CutPrefix(left.kind, "enum "); isEnum && right.kind == "string" {
		t, _ := specindex.Graph().Type(name)
		if v, _ := right.value(nil).(string); right.path == "" && !slices.Contains(t.Values, v) {
			return nil, badFilter("The string '%s' is not a valid enumeration type constant.", v)
		}
	}
	return func(o object) bool {
		order, ok := compareValues(left.value(o), right.value(o))
		switch op {
		case "eq":
			return ok && order == 0
		case "ne":
			return !ok || order != 0
		case "gt":
			return ok && order > 0
		case "ge":
			return ok && order >= 0
		case "lt":
			return ok && order < 0
		}
		return ok && order <= 0
	}, nil
}

func comparableKinds(left, right string) bool {
	if left == "null" || right == "null" || left == right || left == "any" {
		return true
	}
	if strings.HasPrefix(left, "enum ") {
		return right == "string"
	}
	return left == "guid" && right == "string" || left == "string" && right == "guid"
}

// compareValues orders two values; ok is false when they cannot be equal or
// ordered, as with null against anything else. Text compares without regard to
// case, as in Exchange and the directory.
func compareValues(left, right any) (order int, ok bool) {
	if left == nil || right == nil {
		return 0, left == nil && right == nil
	}
	if l, r, both := asTimes(left, right); both {
		return l.Compare(r), true
	}
	switch l := left.(type) {
	case string:
		r, isText := right.(string)
		return strings.Compare(strings.ToLower(l), strings.ToLower(r)), isText
	case bool:
		r, isBool := right.(bool)
		return cmp.Compare(btoi(l), btoi(r)), isBool
	}
	l, isNumber := asNumber(left)
	r, isNumber2 := asNumber(right)
	return cmp.Compare(l, r), isNumber && isNumber2
}

func asTimes(left, right any) (l, r time.Time, both bool) {
	l, lok := asTime(left)
	r, rok := asTime(right)
	return l, r, lok && rok
}

func asTime(value any) (time.Time, bool) {
	switch v := value.(type) {
	case time.Time:
		return v, true
	case string:
		if len(v) < len("2006-01-02T15:04:05Z") || v[4] != '-' {
			return time.Time{}, false
		}
		t, err := time.Parse(time.RFC3339, v)
		return t, err == nil
	}
	return time.Time{}, false
}

func asNumber(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
