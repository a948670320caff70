package catalogtest_test

import (
	"fmt"

	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
)

// A call that needs what an earlier one returned.
func ExampleResults() {
	read := catalogtest.Call{Tool: "mail_get", With: func(earlier catalogtest.Results) map[string]any {
		return map[string]any{"id": earlier.Last("mail_search")["id"]}
	}}
	fmt.Println(read.With(catalogtest.Results{"mail_search": {{"id": 1}, {"id": 2}}}))
	// Output: map[id:2]
}
