package mcptools

// Page is the result of a tool that lists things.
type Page[T any] struct {
	Items   []T    `json:"items"`
	Total   *int   `json:"total,omitempty"`
	Cursor  string `json:"cursor,omitempty" jsonschema:"pass back to continue"`
	Problem string `json:"problem,omitempty" jsonschema:"why the list is incomplete"`
}
