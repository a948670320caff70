// Package argument says what is wrong with arguments beyond what their schema
// tells: by their names, and all of it at once, as the validation of schemas does.
package argument

import (
	"errors"
	"slices"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Text is what a caller wrote, and the name of the argument it was written for.
type Text struct{ Name, Value string }

// Of returns err as that of an argument, whose name its message then begins with;
// nil if err is.
func Of(name string, err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		return err
	}
	named := *e
	named.Message = name + ": " + e.Message
	return &named
}

// Faults is one error for those of one call, with the hint of the first; nil if
// all of them are.
func Faults(faults ...error) error {
	faults = slices.DeleteFunc(faults, func(fault error) bool { return fault == nil })
	if len(faults) == 0 {
		return nil
	}
	first, ok := errors.AsType[*mcptools.Error](faults[0])
	if !ok || len(faults) == 1 {
		return faults[0]
	}
	joined := *first
	for _, fault := range faults[1:] {
		if e, ok := errors.AsType[*mcptools.Error](fault); ok {
			joined.Message += "; " + e.Message
		}
	}
	return &joined
}
