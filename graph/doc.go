// Package graph offers Microsoft 365 (Microsoft Graph v1.0) as a typed Go client
// and as MCP tools. Each method of [Client] that takes an Input is a tool:
//
//	client, err := graph.New(source, graph.Options{})
//	client.Tools().Register(server)                            // over MCP
//	page, err := client.SearchMail(ctx, graph.SearchMailInput{Unread: true}) // in Go
//	result, err := client.Tools().Call(ctx, "m365_mail_search", args)        // by name
//
// # Whose mailbox
//
// A tool works on the signed-in user unless its argument mailbox (or user)
// names somebody else by address or id. With an application's own sign-in there
// is no such user, and a mailbox must be named.
//
// # Times
//
// Times without an offset are read in the time zone of the mailbox, and times in
// results are written in it, with their offset. Options.TimeZone or the argument
// time_zone override it.
//
// # Ids
//
// Mail and events are addressed by immutable ids, which stay the same when an
// item is moved: https://learn.microsoft.com/graph/outlook-immutable-id.
package graph
