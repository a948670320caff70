// Package halopsa offers HaloPSA as a typed Go client and as MCP tools. Each
// method of [Client] that takes an Input is a tool:
//
//	client, err := halopsa.New(source, halopsa.Options{URL: "https://psa.example"})
//	client.Tools().Register(server)
//
// # Names or ids
//
// Wherever a tool takes a client, a user, an agent, a status or another record,
// it takes its id or its name. A name that fits several records is answered
// with the candidates, never with a guess.
//
// # What the API hides
//
// HaloPSA ignores query parameters and body fields that it does not know, and
// answers with success. This package sends only what Halo's own description
// lists, reads back what it wrote, and reports fields that the server ignored.
//
// # Time
//
// HaloPSA counts time taken in decimal hours. Tools take durations with a unit
// ("45m", "1h30m") and show minutes and hours.
package halopsa
