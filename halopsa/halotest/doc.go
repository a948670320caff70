// Package halotest is an in-memory HaloPSA for tests and demonstrations: a
// server on a loopback port with a believable company, which speaks Halo's wire
// format, keeps state, and has Halo's habits. It refuses what Halo refuses, and
// it records what Halo ignores in silence, so that a test can insist on none:
//
//	server := halotest.New(halotest.Options{})
//	defer server.Close()
//	… // use server.URL() with halotest.ClientID and halotest.ClientSecret
//	if v := server.Violations(); len(v) > 0 {
//		t.Error(v)
//	}
//
// # The company
//
// Nordlicht IT is a managed service provider. Its API application acts as Sam
// Okafor, a technician; Priya Nair dispatches, Tom Lindqvist manages, Elif Demir
// works in the 2nd line. They serve Hafen Logistik GmbH (Anna Berg, Jonas Weber,
// Mira Koch), Alster Dental (Dr. Lena Vogt) and others, of which Elbe
// Architekten and Elbe Ingenieure are easily confused. There are 80 tickets;
// constants name those to rely on.
//
// # The habits
//
// Nothing here was tried on a live tenant. What follows was gathered from
// Halo's own API description and from programs that run against live tenants;
// where those differ by build, [Options] has a switch.
//
// Sign-in: the token endpoint wants the tenant (query or form) and a scope; a
// token without scopes is answered 401 everywhere. GET /api/authinfo needs no
// token and tells where to sign in, which can be another host. A static
// X-Halo-Api-Key does as well. A missing scope is 401, 403, or 400 "Please
// contact the administrator". Refresh tokens are good for one use.
//
// Lists: pages need both pageinate=true (so spelled) and page_no from 1;
// otherwise page_size is ignored and the agent's default of 50 comes. Tickets
// come 100 a page at most, assets 50 whatever is asked. Envelopes have a key of
// their own and further arrays beside it; reference lists are bare arrays.
// Unknown query parameters are ignored. An unknown sort column or an unreadable
// date is a 500, every time. advanced_search takes a list of known fields and
// refuses others.
//
// Tickets: rows of a list have neither agent_name nor datecreated; types,
// priorities and statuses have no name fields; the priority is an object, and
// includedetails adds whole definitions, up to 150 KB. Nobody has agent 1. Empty
// dates are 1900-01-01, as targetdate always is, 1899-12-30 or 0001-01-01. A status has no open or closed flag; the
// ticket's hasbeenclosed has it. Priorities are numbered within an SLA.
// Categories are paths ("Network>VPN").
//
// Writes: the body is an array, ids are whole numbers, only the fields sent
// change, but nested arrays are replaced whole. Unknown fields are ignored. A
// ticket's user needs the site. A priority of another SLA becomes the default.
// Ticket types insist on fields. The reply to one element is an object (builds
// differ). A 400 carries one human sentence, in one of five forms. A 200 can
// carry a _warning.
//
// Actions are numbered within their ticket, so every call needs ticket_id. They
// need an outcome that the workflow allows at its step. They carry private
// notes (hiddenfromuser), time in decimal hours (timetaken), changes of the
// ticket (new_status …), files and e-mail ([Server.Sent]).
//
// What the descriptions leave open is this package's choice: the words of most
// refusals, that deleting a client with tickets is refused, that a Resolved
// ticket still counts as open, and that refused calls do not count against the
// rate limit. Operations that exist in Halo but not here are answered 501.
package halotest
