// Package specindex holds what the vendors' own descriptions say exists: types
// and their properties, paths, operations, and the permissions that paths
// need. The in-memory fakes refuse what is not here, and tests compare the
// scopes that tools declare with it.
//
// The indexes are text files made by the program in generate, which names the
// published originals.
package specindex
