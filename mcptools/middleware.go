package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"time"
)

// Timeout cancels the context of calls that run longer than limit; functions
// that heed it end with CodeTimeout. Over MCP a person who is asked by [Confirm]
// may think as long as they like; a direct caller's Ask counts, unless Timeout
// is inside of Confirm.
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
// Values of arguments and results are never logged. A panic is logged as an
// error with the names of the functions that led to it, and goes on.
func Audit(logger *slog.Logger) Middleware {
	return func(next Handler) Handler {
		return func(ctx context.Context, call *Call) (result *Result, err error) {
			start := time.Now()
			defer func() {
				attrs := describe(call, time.Since(start))
				if v := recover(); v != nil {
					attrs = append(attrs, slog.String("outcome", "panic"), slog.Any("frames", frames()))
					logger.LogAttrs(ctx, slog.LevelError, "tool call", attrs...)
					panic(v)
				}
				level, outcome := outcome(result, err)
				logger.LogAttrs(ctx, level, "tool call", append(attrs, outcome...)...)
			}()
			return next(ctx, call)
		}
	}
}

func describe(call *Call, took time.Duration) []slog.Attr {
	spec := call.Tool.Spec()
	attrs := []slog.Attr{
		slog.String("tool", spec.Name),
		slog.String("effect", spec.Effect.String()),
		slog.Any("arguments", argumentSizes(call)),
		slog.Duration("took", took),
	}
	if marks := spec.Marks.String(); marks != "" {
		attrs = append(attrs, slog.String("marks", marks))
	}
	if user := call.UserID(); user != "" {
		attrs = append(attrs, slog.String("user", user))
	}
	return attrs
}

func outcome(result *Result, err error) (slog.Level, []slog.Attr) {
	switch {
	case err == nil && result != nil:
		return slog.LevelInfo, []slog.Attr{slog.Int("result_bytes", len(result.Value)), slog.String("outcome", "ok")}
	case err == nil:
		err = errNothing()
	}
	err = presentable(err)
	if e, ok := errors.AsType[*Error](err); ok {
		attrs := []slog.Attr{slog.String("outcome", string(e.Code))}
		if e.RequestID != "" {
			attrs = append(attrs, slog.String("request_id", e.RequestID))
		}
		return slog.LevelWarn, attrs
	}
	if _, ok := errors.AsType[*InputRequired](err); ok {
		return slog.LevelInfo, []slog.Attr{slog.String("outcome", "asked")}
	}
	return slog.LevelWarn, []slog.Attr{slog.String("outcome", "refused")} // a forged confirmation
}

// argumentSizes describes arguments without repeating them: name=bytes. Names
// that the tool does not have are left out, for they could hold anything.
func argumentSizes(call *Call) []string {
	var fields map[string]json.RawMessage
	if len(call.Arguments) > maxDocument || json.Unmarshal(call.Arguments, &fields) != nil {
		return nil
	}
	var sizes []string
	for _, name := range call.Tool.definition.in.root.names {
		if value, given := fields[name]; given {
			sizes = append(sizes, name+"="+sizeOf(len(value)))
		}
	}
	return sizes
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
