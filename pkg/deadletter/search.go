package deadletter

import (
	"context"
	"iter"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// headerStore is the header with the store, in every record of the pipeline.
const headerStore = "store"

// Topics are the topics of one role.
type Topics struct {
	Letters string // recharge.deadletter.{role}
	Redrive string // recharge.redrive.{role}
}

// Filter selects letters; empty fields select all.
type Filter struct {
	Store  string
	Reason string
	Key    string // of the record, such as acme/246936001
	// Since and Until select letters by the time of writing: from Since on, before Until.
	Since, Until time.Time
	// Positions selects single letters.
	Positions map[Position]bool
}

// Found is a letter with its record in the dead-letter topic.
type Found struct {
	Letter
	Position Position
	// Stored is the record in the dead-letter topic.
	Stored kafka.Record
	// Sent is how often the letter was redriven, within the retention of the redrive topic.
	Sent int
}

// Store returns the name of the store.
func (f Found) Store() string { return f.Stored.Header(headerStore) }

// Search yields a role's letters, partition by partition, each in order, up to the end offsets at the time of the call. In
// memory it holds mainly the positions of redriven letters. An error is the last value it yields, and means that the result is
// incomplete.
func Search(ctx context.Context, cluster kafka.Cluster, topics Topics, filter Filter) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		sent, err := sentAlready(ctx, cluster, topics.Redrive, filter.Since)
		if err != nil {
			yield(Found{}, err)
			return
		}
		for record, err := range kafka.Scan(ctx, cluster, topics.Letters, filter.Since) {
			if err != nil {
				yield(Found{}, err)
				return
			}
			if !filter.takes(record) {
				continue
			}
			position := PositionOf(record)
			if !yield(Found{Letter: Read(record), Position: position, Stored: record, Sent: sent[position]}, nil) {
				return
			}
		}
	}
}

// sentAlready counts the records of a redrive topic by letter. A letter is redriven after it was written, so records before
// since can't belong to letters written after since.
func sentAlready(ctx context.Context, cluster kafka.Cluster, redrive string, since time.Time) (map[Position]int, error) {
	sent := map[Position]int{}
	for record, err := range kafka.Scan(ctx, cluster, redrive, since) {
		if err != nil {
			return nil, err
		}
		if position, ok := RedriveOf(record); ok {
			sent[position]++
		}
	}
	return sent, nil
}

func (f Filter) takes(r kafka.Record) bool {
	switch {
	case f.Store != "" && r.Header(headerStore) != f.Store,
		f.Reason != "" && r.Header(HeaderReason) != f.Reason,
		f.Key != "" && string(r.Key) != f.Key,
		!f.Until.IsZero() && !r.Time.Before(f.Until),
		len(f.Positions) > 0 && !f.Positions[PositionOf(r)]:
		return false
	}
	return true
}
