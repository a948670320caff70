//go:build !race

package mcptools_test

import "time"

// slowest is how long a hostile call may take.
const slowest = 50 * time.Millisecond
