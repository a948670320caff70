// Package web has the parts that a web server in front of tools needs, each a
// piece of net/http middleware that works alone:
//
//   - [RequireTLS] and [LimitBody] refuse what must not get further.
//   - [Headers] sets the security headers, [CORS] admits listed origins.
//   - [RateLimit] slows down one user or one client address.
//   - [Sessions] remembers who signed in, behind a cookie that holds nothing
//     but a random id.
//   - [SignIn] are the pages: to the identity provider, back from it, and out.
//   - [Proxies] says whose forwarding headers to believe; by default nobody's.
//
// From the outside to the inside:
//
//	RequireTLS → Headers → RateLimit → CORS → LimitBody → SignIn, or RequireToken of package inbound → your handler
//
// The zero values are the strict ones. What loosens them is called Allow….
package web
