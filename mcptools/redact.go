package mcptools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Redact passes every string of results, and the message, the hint and the
// service's code of errors, through replace before anybody sees them. The names
// of fields and the notice of untrusted tools stay as they are; content that is
// not text is dropped, since it could hold anything.
func Redact(replace func(string) string) Middleware {
	return func(next Handler) Handler {
		return func(ctx context.Context, call *Call) (*Result, error) {
			result, err := next(ctx, call)
			if err != nil {
				return nil, redactError(err, replace)
			}
			if result == nil {
				return nil, errNothing()
			}
			redacted := *result
			if redacted.Value, err = redactJSON(result.Value, replace); err != nil {
				return nil, asError(err)
			}
			if redacted.Meta, err = redactMeta(result.Meta, replace); err != nil {
				return nil, asError(err)
			}
			redacted.Content = redactContent(result.Content, replace)
			return &redacted, nil
		}
	}
}

func redactError(err error, replace func(string) string) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e == nil {
		return err
	}
	redacted := *e
	redacted.Message, redacted.Hint, redacted.Upstream = replace(e.Message), replace(e.Hint), replace(e.Upstream)
	return &redacted
}

// redactJSON rewrites the strings of a document and leaves the rest as it is,
// the order of its fields above all.
func redactJSON(document json.RawMessage, replace func(string) string) (json.RawMessage, error) {
	if len(document) == 0 {
		return document, nil
	}
	if !json.Valid(document) {
		return nil, errSyntax
	}
	redacted := make(json.RawMessage, 0, len(document))
	for i := 0; i < len(document); {
		if document[i] != '"' {
			redacted = append(redacted, document[i])
			i++
			continue
		}
		end := i + 1
		for ; document[end] != '"'; end++ {
			if document[end] == '\\' {
				end++
			}
		}
		end++
		raw := document[i:end]
		i = end
		if !bytes.HasPrefix(bytes.TrimLeft(document[end:], " \t\r\n"), []byte(":")) {
			var err error
			if raw, err = redactString(raw, replace); err != nil {
				return nil, err
			}
		}
		redacted = append(redacted, raw...)
	}
	return redacted, nil
}

func redactString(raw json.RawMessage, replace func(string) string) (json.RawMessage, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	if text == notice {
		return raw, nil
	}
	return marshal(replace(text))
}

func redactMeta(meta mcp.Meta, replace func(string) string) (mcp.Meta, error) {
	if len(meta) == 0 {
		return meta, nil
	}
	document, err := marshal(meta)
	if err != nil {
		return nil, err
	}
	if document, err = redactJSON(document, replace); err != nil {
		return nil, err
	}
	var redacted mcp.Meta
	return redacted, json.Unmarshal(document, &redacted)
}

// redactContent keeps what it can redact: text.
func redactContent(content []mcp.Content, replace func(string) string) []mcp.Content {
	var kept []mcp.Content
	for _, c := range content {
		if text, ok := c.(*mcp.TextContent); ok {
			kept = append(kept, &mcp.TextContent{Text: replace(text.Text)})
		}
	}
	return kept
}
