// Package fakehttp is what the in-memory servers graphtest and halotest share:
// a loopback listener ([Server]), an OAuth 2.0 token endpoint ([OAuth]), faults
// on demand ([Faults]) and a record of what clients did ([Recorder]).
//
// A fake is put together from the outside in:
//
//	handler := recorder.Wrap(faults.Wrap(api))
//	server := fakehttp.Serve(handler)
//
// so that a request answered by an injected fault is recorded as well.
package fakehttp
