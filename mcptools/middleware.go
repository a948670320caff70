package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Timeout ends calls that run longer than limit with CodeTimeout. Put it inside
// of [Confirm], so that a person may think as long as they like.
func Timeout(limit time.Duration) Middleware {
	return func(next Handler) Handler {
		return func(ctx context.Context, call *Call) (*Result, error) {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			return next(ctx, call)
		}
	}
}

// Audit logs every call when it has ended: the tool, its effect and marks, the
// user, the names and sizes of the arguments, the outcome and the duration.
// Values of arguments and results are never logged.
func Audit(logger *slog.Logger) Middleware {
	return func(next Handler) Handler {
		return func(ctx context.Context, call *Call) (result *Result, err error) {
			start := time.Now()
			defer func() {
				if v := recover(); v != nil {
					logger.LogAttrs(ctx, slog.LevelError, "tool call panicked",
						slog.String("tool", call.Tool.Spec().Name), slog.Any("frames", frames()))
					panic(v)
				}
				record(ctx, logger, call, result, err, time.Since(start))
			}()
			return next(ctx, call)
		}
	}
}

func record(ctx context.Context, logger *slog.Logger, call *Call, result *Result, err error, took time.Duration) {
	spec := call.Tool.Spec()
	attrs := []slog.Attr{
		slog.String("tool", spec.Name),
		slog.String("effect", spec.Effect.String()),
		slog.Any("arguments", argumentSizes(call.Arguments)),
		slog.Duration("took", took),
	}
	if marks := spec.Marks.String(); marks != "" {
		attrs = append(attrs, slog.String("marks", marks))
	}
	if user := call.UserID(); user != "" {
		attrs = append(attrs, slog.String("user", user))
	}
	level, outcome := slog.LevelInfo, "ok"
	if err != nil {
		if _, asking := errors.AsType[*InputRequired](err); asking {
			outcome = "asked"
		} else {
			e := asError(err)
			level, outcome = slog.LevelWarn, string(e.Code)
			if e.RequestID != "" {
				attrs = append(attrs, slog.String("request_id", e.RequestID))
			}
		}
	} else {
		attrs = append(attrs, slog.Int("result_bytes", len(result.Value)))
	}
	logger.LogAttrs(ctx, level, "tool call", append(attrs, slog.String("outcome", outcome))...)
}

// argumentSizes describes arguments without repeating them: name=bytes.
func argumentSizes(args json.RawMessage) []string {
	var fields map[string]json.RawMessage
	if len(args) > maxDocument || json.Unmarshal(args, &fields) != nil {
		return nil
	}
	var sizes []string
	for name, value := range fields {
		if propertyName.MatchString(name) {
			sizes = append(sizes, name+"="+sizeOf(len(value)))
		}
	}
	slices.Sort(sizes)
	return sizes[:min(len(sizes), 64)]
}

// frames names the functions of the panicking goroutine, without arguments.
func frames() []string {
	pcs := make([]uintptr, 16)
	iterator := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var names []string
	for {
		frame, more := iterator.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			names = append(names, frame.Function)
		}
		if !more {
			return names
		}
	}
}

// Redact passes every string of results, and every text of errors, through
// replace before anybody sees it.
func Redact(replace func(string) string) Middleware {
	return func(next Handler) Handler {
		return func(ctx context.Context, call *Call) (*Result, error) {
			result, err := next(ctx, call)
			if err != nil {
				return nil, redactError(err, replace)
			}
			tree, _, err := parse(result.Value)
			if err != nil {
				return nil, asError(err)
			}
			redacted := *result
			if redacted.Value, err = marshal(redactTree(tree, replace)); err != nil {
				return nil, asError(err)
			}
			redacted.Content = redactContent(result.Content, replace)
			return &redacted, nil
		}
	}
}

func redactError(err error, replace func(string) string) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	redacted := *e
	redacted.Message, redacted.Hint = replace(e.Message), replace(e.Hint)
	return &redacted
}

func redactTree(v any, replace func(string) string) any {
	switch v := v.(type) {
	case string:
		return replace(v)
	case []any:
		for i := range v {
			v[i] = redactTree(v[i], replace)
		}
	case map[string]any:
		for name := range v {
			v[name] = redactTree(v[name], replace)
		}
	}
	return v
}

// redactContent keeps what it can redact: text. Other content is dropped, since
// it could hold anything.
func redactContent(content []mcp.Content, replace func(string) string) []mcp.Content {
	var kept []mcp.Content
	for _, c := range content {
		if text, ok := c.(*mcp.TextContent); ok {
			kept = append(kept, &mcp.TextContent{Text: replace(text.Text)})
		}
	}
	return kept
}
