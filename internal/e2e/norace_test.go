//go:build !race

package e2e

// slowed is how many times slower the race detector makes everything.
const slowed = 1
