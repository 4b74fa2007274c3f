package deadletter

import (
	"context"
	"iter"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// headerStore names the store that a record is of, in every record of the pipeline.
const headerStore = "store"

// Topics are those of one role.
type Topics struct {
	Letters string // recharge.deadletter.{role}
	Redrive string // recharge.redrive.{role}
}

// Filter chooses letters; what is empty does not restrict.
type Filter struct {
	Store  string
	Reason string
	Key    string // of the record, as in acme/246936001
	// Since and Until restrict when the letter was written: from Since on, before Until.
	Since, Until time.Time
	// Places are letters by name.
	Places map[Place]bool
}

// Found is a letter in its topic.
type Found struct {
	Letter
	Place Place
	// Stored is the letter's own record.
	Stored kafka.Record
	// Sent is how often the letter was sent to its role once more, as far back as the redrive topic goes.
	Sent int
}

// Store is the name of the store that the record is of.
func (f Found) Store() string { return f.Stored.Header(headerStore) }

// Search reads a role's letters, partition by partition, each in order, to where they ended when it began. It holds in
// memory the places of those that were sent already, and little else. An error is the last thing it yields, and says that
// not all were found.
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
			place := PlaceOf(record)
			if !yield(Found{Letter: Read(record), Place: place, Stored: record, Sent: sent[place]}, nil) {
				return
			}
		}
	}
}

// sentAlready counts what lies in a redrive topic by letter. A letter is sent after it was written, so what lies there from
// before since is of none that a search since then finds.
func sentAlready(ctx context.Context, cluster kafka.Cluster, redrive string, since time.Time) (map[Place]int, error) {
	sent := map[Place]int{}
	for record, err := range kafka.Scan(ctx, cluster, redrive, since) {
		if err != nil {
			return nil, err
		}
		if place, ok := RedriveOf(record); ok {
			sent[place]++
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
		len(f.Places) > 0 && !f.Places[PlaceOf(r)]:
		return false
	}
	return true
}
