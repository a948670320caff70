package specindex_test

import (
	"fmt"

	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

func ExampleGraphIndex_Resolve() {
	target, err := specindex.Graph().Resolve("GET", "/me/messages/AAMk=/attachments")
	fmt.Println(target.Template, target.Kind, err)
	_, err = specindex.Graph().Resolve("GET", "/me/mails")
	fmt.Println(err)
	// Output:
	// /me/messages/{id}/attachments attachment* <nil>
	// no such path: user has no "mails"
}

func ExampleGraphIndex_LeastScopes() {
	scopes, _ := specindex.Graph().LeastScopes("POST", "/me/events")
	fmt.Println(scopes.LeastDelegated, scopes.LeastApplication)
	// Output: [Calendars.ReadWrite] [Calendars.ReadWrite]
}

func ExampleHaloIndex_Operation() {
	op, _ := specindex.Halo().Operation("POST", "/Tickets")
	fmt.Println(op.Path, op.Body)
	_, ok := specindex.Halo().Operation("POST", "/Report/run")
	fmt.Println(ok)
	// Output:
	// /Tickets [Faults]
	// false
}
