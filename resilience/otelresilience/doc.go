// Package otelresilience tells OpenTelemetry what a [resilience.Transport]
// does: a span and a duration for each attempt, by the semantic conventions for
// HTTP clients, and metrics of its retries, waits, limits and breakers.
//
//	telemetry, err := otelresilience.New(otelresilience.Options{})
//	transport, err := resilience.New(telemetry.Instrument(resilience.Options{Hosts: …}))
//	stop, err := telemetry.Observe(transport.Snapshot)
//
// # Spans
//
// Each attempt is a span of kind CLIENT, named by its method ("GET") or, with
// [Options.Template], by method and template ("GET /users/{id}"). It has
// http.request.method, http.request.method_original, server.address,
// server.port, url.full, url.template, http.request.resend_count,
// http.response.status_code, network.protocol.version and error.type. Its
// status is Error from 400 on and for an attempt without an answer. It ends
// with the headers of the answer and not with its body, as the conventions
// want it where a body may be left unread; nothing is left behind if it is
// never closed. The resend count is that of the transport's repetitions; a
// redirect that a client follows counts anew. A request that is refused without
// an attempt has no span, and neither has one that a transport above the base
// stops, such as one that finds no token.
//
// # Metrics
//
// Told as it happens:
//
//   - http.client.request.duration: histogram of attempts in seconds, until the
//     headers of the answer. It has http.request.method, server.address,
//     server.port, url.template, http.response.status_code,
//     network.protocol.version and error.type.
//   - resilience.retries: counter of repetitions; resilience.class is that of
//     the attempt that failed.
//   - resilience.throttles: counter of answers that refuse or ask for a wait,
//     with their resilience.class.
//   - resilience.refusals: counter of requests that may not be attempted, or
//     not again, with error.type.
//   - resilience.wait.duration: histogram in seconds. The resilience.wait.reason
//     is "retry" for waits before a repetition, as they are planned, and "turn"
//     for those for the gate, the pace and a free place. Attempts that need not
//     wait are not in it.
//   - resilience.breaker.changes: counter, with the new resilience.breaker.state.
//
// Observed by [Telemetry.Observe] when metrics are collected:
//
//   - resilience.breaker.count: breakers in each resilience.breaker.state
//     ("closed", "open", "half-open"): for one key, 1 of one and 0 of the others.
//   - resilience.retry.budget: gauge of what is left for repetitions; not there
//     if that is unlimited.
//   - resilience.throttle.rate: gauge of the requests a second that are let
//     through; not there while they are unlimited.
//   - resilience.throttle.wait: gauge of the seconds until the server may be
//     asked again; 0 if it may.
//   - resilience.active_requests: requests whose answers are not read yet.
//   - resilience.pending_requests: requests that have not been let through.
//
// The resilience.* metrics have the attribute resilience.key. It is the breaker
// key, and the throttle key for resilience.throttle.rate,
// resilience.throttle.wait and the requests, of which there can be as many as
// MaxKeys in the Options of package resilience: see [Options.Key].
//
// # Error types
//
// The error.type of an answer is its status, such as "503". Without an answer
// it is one of "timeout", "cancelled", "name_resolution", "certificate",
// "private_address", "connection_refused", "connection_reset",
// "connection_closed", "connection_failed" (other ways to fail to connect),
// "panic", or the Go type of the error; that of a refusal "breaker_open",
// "throttled", "overloaded", "timeout" or "cancelled".
//
// # Privacy
//
// Paths, queries, headers, bodies and the texts of errors are in no attribute:
// they hold names, addresses, ids and tokens. The url.full has the scheme and
// the host, and the template if there is one. What can be personal are the
// keys, if Options.Keys of package resilience puts something personal into
// them: see [Options.Key].
//
// No header is added to requests: traceparent and baggage would tell services
// of others how requests belong together. See [Options.Propagator].
package otelresilience
