// Package graphtest is an in-memory Microsoft Graph v1.0 for tests and demos.
//
// A [Server] listens on loopback, speaks Graph's wire format, signs in with
// the token endpoint of an Entra-like authority, and keeps state: what is sent
// arrives, what is moved gets a new id, what is deleted is gone. It is seeded
// with a small managed service provider, Nordlicht IT (nordlicht.example),
// whose signed-in technician is Sam Okafor. His customers are Hafen Logistik
// GmbH (hafenlogistik.example) and Alster Dental (alsterdental.example). The
// dates of mails and events are relative to the start of the server.
//
// The server refuses what Graph refuses, with Graph's error codes, and records
// every such request, and every part of a request that Graph would silently
// ignore, as a [Violation]. What exists is taken from Microsoft's published
// metadata and not from any client.
//
// Faults (throttling, lost connections, slow answers) are injected through
// [Server.Faults].
package graphtest
