package pipeline

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// replay decides on the parked records of a customer, in order. Those that are too much for this transaction are left for the
// next; later records of the customer are parked behind them until then. Records whose customer is unknown still are rejected for
// the given reason.
func (t *transform) replay(ctx context.Context, s subscriber.Settings, ref customerstate.Ref, state *subscriber.State, unknown reason.Reason) ([]stage.Replayed, error) {
	parked, err := t.Replay(ref)
	if err != nil {
		return nil, err
	}
	replayed := []stage.Replayed{}
	err = parked.Each(ctx, t.raw, t.topics.Webhooks(), string(unknown), func(raw kafka.Record, gone error) (err error) {
		one := stage.Replayed{Record: raw, Result: stage.Rejected(reason.ParkedRecordGone, gone)}
		if gone == nil {
			one.Result, state, err = t.replayOne(&input{raw: raw, settings: s}, state, unknown)
		}
		replayed = append(replayed, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return replayed, nil
}

// replayOne processes a record as it was when it was parked.
func (t *transform) replayOne(in *input, state *subscriber.State, unknown reason.Reason) (stage.Result, *subscriber.State, error) {
	in.at = envelope.ReceivedOrWritten(in.raw)
	if err := t.decode(in); err != nil {
		return stage.Rejected(reason.Malformed, err), state, nil
	}
	result, after, err := t.decideSafely(in, state)
	var needed *subscriber.LookupNeeded // again: the lookup did not help
	if errors.Is(err, subscriber.ErrCustomerUnknown) || errors.As(err, &needed) {
		if in.lookup != nil && !in.imported {
			t.RejectLookup(in.lookup.LookupRequest)
		}
		return stage.Rejected(unknown, err), state, nil
	}
	return result, after, err
}

// replayMore replays records of the first customer who has parked records left and can be replayed; it returns nil if there is
// none. It also checks whether another such customer is left. stalled has the error of the customers that failed; err means
// that replay fails for all customers.
func (t *transform) replayMore(ctx context.Context) (replayed []stage.Replayed, stalled, err error) {
	for ref, unknown := range t.Replays() {
		settings, ok := t.stores[ref.Store]
		if !ok { // its records wait, too
			continue
		}
		if replayed != nil {
			t.More()
			break
		}
		start := t.Savepoint()
		state, err := t.Load(ref)
		if err == nil {
			replayed, err = t.replay(ctx, settings, ref, state.LookedUp(), reason.Reason(unknown))
		}
		if err == nil {
			continue
		}
		if t.Rollback(start); errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil, nil, err
		}
		stalled = fmt.Errorf("replay parked records of %s: %w", ref.Key(), err)
		t.log.Warn("replay parked records failed, will retry", zap.Int("partition", t.partition), zap.String("key", ref.Key()), zap.Error(err))
	}
	return replayed, stalled, nil
}

// unknownReason returns the reason to reject records whose customer is still unknown after a lookup.
func unknownReason(l *recharge.Lookup) reason.Reason {
	if l.Unreadable != "" {
		return reason.CustomerUnreadable
	}
	return reason.CustomerUnknown
}
