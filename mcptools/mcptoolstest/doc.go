// Package mcptoolstest checks tools in the tests of those who define them:
// [CheckPortable] that every model provider and client accepts a tool, [Golden]
// that what models see of it changes only on purpose.
//
//	func TestTools(t *testing.T) {
//		for tool := range tools.All() {
//			mcptoolstest.CheckPortable(t, tool)
//		}
//		mcptoolstest.Golden(t, tools, "testdata/tools")
//	}
package mcptoolstest
