//go:build race

package mcptools_test

import "time"

// slowest is how long a hostile call may take under the race detector, which
// slows everything down by an order of magnitude.
const slowest = time.Second
