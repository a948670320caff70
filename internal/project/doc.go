// Package project tests the repository as a whole: that the README tells the
// truth, that every package is documented and has examples, and that the house
// is in order. It has no code of its own.
package project
