package stage

import (
	"context"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// attempt is one attempt to handle a batch: a handler, and a function that drops its changes.
type attempt struct {
	handle Handler
	undo   func()
}

// recovered runs the handler. If it panics, the records are handled one by one, and the one that panics is rejected: otherwise
// it would panic again after every restart. begin starts a new attempt; the changes of one that panicked are dropped.
func (s *Stage) recovered(ctx context.Context, records []kafka.Record, begin func() attempt) (results []Result, err error) {
	for {
		a := begin()
		if !Recover(s.Run.Log, s.Role, len(records), func() { results, err = a.handle(ctx, records) }) {
			return results, err
		}
		a.undo()
		if len(records) == 1 {
			begin() // it has no changes
			return []Result{{Outcome: Panicked()}}, nil
		}
		records = records[:1]
	}
}

// Recover calls a handler and reports whether it panicked. It logs the panic with its stack and the number of records.
func Recover(log *zap.Logger, role string, records int, handle func()) (panicked bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		log.Error("handler panicked, its records are tried one by one", zap.String("role", role), zap.Int("records", records), zap.Any("panic", cause), zap.Stack("stack"))
		panicked = true
	}()
	handle()
	return false
}
