package telemetry

import (
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// NewLogger writes one JSON object per line to w, with the keys ts (RFC 3339, UTC, milliseconds), level
// and msg before the fields of the entry. Level is debug, info, warn or error. Lines carry no caller; a
// stack is added to panics only. Writes are serialized, so w need not be safe for concurrent use. The returned level changes the
// logger's while it is used.
func NewLogger(level string, w io.Writer) (*zap.Logger, zap.AtomicLevel, error) {
	least, err := zapcore.ParseLevel(level)
	if err != nil || least > zapcore.ErrorLevel {
		return nil, zap.AtomicLevel{}, fmt.Errorf("parse log level %q: expected debug, info, warn or error", level)
	}
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		TimeKey: "ts", LevelKey: "level", MessageKey: "msg", NameKey: "logger", StacktraceKey: "stack",
		LineEnding:     zapcore.DefaultLineEnding,
		EncodeTime:     encodeTime,
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
	})
	current := zap.NewAtomicLevelAt(least)
	core := zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), current)
	return zap.New(core, zap.AddStacktrace(zapcore.DPanicLevel)), current, nil
}

func encodeTime(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
	enc.AppendString(t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}
