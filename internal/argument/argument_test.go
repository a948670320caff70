package argument_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func ExampleFaults() {
	unreadable := mcptools.Errorf(mcptools.CodeInvalidArguments, "cannot read the time %q", "noonish").WithHint("write 14:30")
	fmt.Println(argument.Faults(argument.Of("start", unreadable), nil, argument.Of("end", unreadable)))
	// Output:
	// invalid_arguments: start: cannot read the time "noonish"; end: cannot read the time "noonish"
	// What to do: write 14:30
}

// What is no fault of an argument stays as it is.
func TestOtherErrors(t *testing.T) {
	other := errors.New("other")
	if argument.Of("start", nil) != nil || argument.Faults(nil, nil) != nil || !errors.Is(argument.Of("start", other), other) || !errors.Is(argument.Faults(nil, other), other) {
		t.Error("an error is lost or made up")
	}
}
