// Package resilience is an [net/http.RoundTripper] for APIs that throttle,
// stall, fail half-way and answer late, and on which a write must never happen
// twice.
//
// Every attempt of a request is put into a [Class]. What was throttled, or
// surely never sent, is repeated whatever its method. What the server may have
// carried out (a 503, a reset, a timeout) is repeated only if that is harmless:
// see [Idempotent]. Waiting is exponential with full jitter, and never shorter
// than the server's Retry-After; a wait that is too long for the caller comes
// back at once as the server's own answer, and the key stays closed until then,
// for a day at most ([ThrottledError]). A circuit breaker per key stops calls to
// a host that is down ([OpenError]).
//
// What is throttled together, and what fails together, is named by [Keys]. When
// a server throttles, its quota is reckoned from what it had accepted, and the
// requests of the key follow each other at just that pace, first come, first
// served; later, carefully, more is tried. So little is refused, and the quota
// is used. Hints such as RateLimit-Remaining slow the pace before it comes to a
// refusal. A pace can also be given ([Pacing]), and processes can keep to one
// together ([KV]).
//
// Only the hosts that [Options] lists can be reached, over https (http on
// loopback). The caller's request is not changed, and its body is repeated
// through GetBody or not at all: nothing is buffered. net/http itself repeats a
// GET once if a connection that it used before was cut without an answer.
//
// Errors of the base transport that have a method NoRetry() bool returning
// true are final and say nothing about the host's health. A transport below
// this one that could not get a token returns such an error; this package
// finds it with [errors.As], without knowing its type.
package resilience
