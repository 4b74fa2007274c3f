package consent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Decide returns the change that gives a number in E.164 a status from a time on. needed is false if it has that status already.
func Decide(rows *Rows, c Change) (change Change, needed bool, err error) {
	history := History(rows, c.Store, c.Number)
	switch {
	case len(history) == 0:
	case history[0].Status == c.Status:
		return c, false, nil
	case !c.At.After(history[0].At): // its clock is ahead
		c.At = history[0].At.Add(time.Millisecond)
	}
	change, err = New(c)
	return change, err == nil, err
}

// writeBatch is how many records are produced at once.
const writeBatch = 1000

// Publish writes valid changes to the topic recharge.consent under its full name, with a producer such as kafka.Producer. It returns how many of
// them brokers have certainly.
func Publish(ctx context.Context, produce func(context.Context, ...kafka.Record) error, topic string, now time.Time, changes []Change) (written int, err error) {
	for batch := range slices.Chunk(changes, writeBatch) {
		records := make([]kafka.Record, len(batch))
		for i, change := range batch {
			if records[i], err = change.Record(topic, now); err != nil {
				return written, err
			}
		}
		if err := produce(ctx, records...); err != nil {
			return written, fmt.Errorf("write consent: %w", err)
		}
		written += len(batch)
	}
	return written, nil
}
