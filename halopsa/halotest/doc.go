// Package halotest is an in-memory HaloPSA for tests and demonstrations: a
// server on a loopback port with a believable company, Nordlicht IT, that
// speaks Halo's wire format, keeps state, and has Halo's habits.
package halotest
