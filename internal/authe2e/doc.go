// Package authe2e tests package auth against programs of other makes: the
// certified OpenID provider oidc-provider, which runs on Node, and the browser
// Chromium, which signs a person in there. It holds nothing but tests.
//
// They need the packages of testdata/node and chromium:
//
//	npm install --prefix internal/authe2e/testdata/node --package-lock=false
//	apt-get install chromium
//
// Without them they are skipped, unless TOOLBELT_REQUIRE_NODE or
// TOOLBELT_REQUIRE_CHROMIUM is set.
package authe2e
