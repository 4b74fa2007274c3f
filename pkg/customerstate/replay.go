package customerstate

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Limits of replayed records in one transaction, for all customers together. The records are in memory until the transaction
// ends. Then other records of the partition are processed.
const (
	maxReplayed      = 500
	maxReplayedBytes = 4 << 20
)

// amount counts the records replayed in a transaction.
type amount struct{ records, bytes int }

// ReplayFull reports whether the transaction has reached its replay limit, or records are left for a later one.
func (tx *Tx) ReplayFull() bool { return tx.again || tx.replayed.full() }

func (a amount) full() bool { return a.records >= maxReplayed || a.bytes >= maxReplayedBytes }

// RawReader reads single records of recharge.webhooks.
type RawReader interface {
	// Records yields the records at the offsets, which are in ascending order; kafka.ErrNoRecord for a deleted record. Any
	// other error is the last value.
	Records(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error]
}

// Replay is the parked records of a customer that are replayed in a transaction, in order.
type Replay struct {
	tx     *Tx
	lost   int // rows without a valid position
	ref    Ref
	parked []Parked
	more   bool
}

// Replay starts to replay the parked records of a customer.
func (tx *Tx) Replay(ref Ref) (*Replay, error) {
	parked, lost, more, err := tx.firstParked(ref, maxReplayed-tx.replayed.records)
	if err != nil {
		return nil, err
	}
	tx.replayed.records += lost
	return &Replay{tx: tx, lost: lost, ref: ref, parked: parked, more: more}, nil
}

var errNoPosition = errors.New("row of the parked record has no valid position")

// Each removes the rows of the records and calls decide with each record as it was when it was parked, until the transaction has
// reached its limit. For a record that is gone in the meantime, decide gets the reason and a record of the topic with a position only.
// Records that are left for another transaction are rejected for the reason unknown there, if the customer is unknown still.
func (r *Replay) Each(ctx context.Context, raw RawReader, topic, unknown string, decide func(record kafka.Record, gone error) error) error {
	for range r.lost {
		if err := decide(r.position(topic, Parked{Partition: r.tx.partition.number, Offset: -1}), errNoPosition); err != nil {
			return err
		}
	}
	offsets := make([]int64, len(r.parked))
	for i, p := range r.parked {
		offsets[i] = p.Offset
	}
	for record, err := range raw.Records(ctx, r.tx.partition.number, offsets...) {
		at := r.next()
		switch {
		case errors.Is(err, kafka.ErrNoRecord):
			record = r.position(topic, at)
		case err != nil:
			return fmt.Errorf("read parked record: %w", err)
		}
		size := record.Size()
		if err := decide(at.record(record), err); err != nil {
			return err
		}
		if !r.replayed(size) {
			break
		}
	}
	r.end(unknown)
	return nil
}

// position is what is known of a record that is gone.
func (r *Replay) position(topic string, at Parked) kafka.Record {
	return kafka.Record{
		Topic: topic, Partition: at.Partition, Offset: at.Offset, Key: []byte(r.ref.Key()),
		Headers: []kafka.Header{envelope.Header(envelope.HeaderStore, r.ref.Store)},
	}
}

// next returns the position of the next record and removes its row.
func (r *Replay) next() Parked {
	p := r.parked[0]
	r.parked = r.parked[1:]
	r.tx.set(p.key(r.ref), nil)
	return p
}

// replayed counts a replayed record. It reports whether another one fits.
func (r *Replay) replayed(bytes int) bool {
	r.tx.replayed = amount{r.tx.replayed.records + 1, r.tx.replayed.bytes + bytes}
	return !r.tx.replayed.full()
}

// end notes whether records are left for another transaction, which are rejected for a reason if the customer is unknown
// still. Later records of the customer are parked behind them until then.
func (r *Replay) end(unknown string) {
	key := r.ref.key(replayRows, "")
	switch {
	case r.more || len(r.parked) > 0:
		r.tx.again = true
		r.tx.set(key, append([]byte{version}, unknown...))
	case r.tx.replaying(r.ref):
		r.tx.set(key, nil)
	}
}

// replaying reports whether a customer has records left to replay.
func (tx *Tx) replaying(ref Ref) bool { return tx.rows.Get(ref.key(replayRows, "")) != nil }

// Replays yields the customers with records left to replay, and the reason to reject those records if the customer is still
// unknown.
func (tx *Tx) Replays() iter.Seq2[Ref, string] {
	return func(yield func(Ref, string) bool) {
		for key, row := range tx.scan([]byte(replayRows)) {
			ref, _, ok := refOf(key, replayRows)
			unknown, err := bodyOf(row)
			if ok && err == nil && !yield(ref, string(unknown)) {
				return
			}
		}
	}
}

// More marks that records of another customer are left to replay.
func (tx *Tx) More() { tx.again = true }
