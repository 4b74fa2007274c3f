package customerstate

import "iter"

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

// Replay is the parked records of a customer that are replayed in a transaction, in order.
type Replay struct {
	// Lost is the number of rows without a valid position.
	Lost int

	tx     *Tx
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
	return &Replay{Lost: lost, tx: tx, ref: ref, parked: parked, more: more}, nil
}

// Offsets returns the offsets of the records.
func (r *Replay) Offsets() []int64 {
	offsets := make([]int64, len(r.parked))
	for i, p := range r.parked {
		offsets[i] = p.Offset
	}
	return offsets
}

// Next returns the position of the next record and removes its row.
func (r *Replay) Next() Parked {
	p := r.parked[0]
	r.parked = r.parked[1:]
	r.tx.set(p.key(r.ref), nil)
	return p
}

// Replayed counts a replayed record. It reports whether another one fits.
func (r *Replay) Replayed(bytes int) bool {
	r.tx.replayed = amount{r.tx.replayed.records + 1, r.tx.replayed.bytes + bytes}
	return !r.tx.replayed.full()
}

// End notes whether records are left for another transaction, which are rejected for a reason if the customer is unknown
// still. Later records of the customer are parked behind them until then.
func (r *Replay) End(unknown string) {
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
