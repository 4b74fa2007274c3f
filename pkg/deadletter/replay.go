package deadletter

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Producer appends records to Kafka and returns once every in-sync replica has them.
type Producer interface {
	Produce(ctx context.Context, records ...kafka.Record) error
}

// Replay sends letters to their role once more.
type Replay struct {
	Cluster  kafka.Cluster
	Producer Producer
	// Rate is the most letters per second, above 0.
	Rate float64
	// Again sends letters that were sent before, too.
	Again bool
}

// Count is how many letters a search finds, and how many of them Run would pass over.
type Count struct {
	// Places are the letters that Run would send.
	Places map[Place]bool
	// PassedOver is how many were sent before.
	PassedOver int
}

// Count searches without sending. What it found is shown to each, which may be nil.
func (r Replay) Count(ctx context.Context, topics Topics, filter Filter, each func(Found)) (Count, error) {
	count := Count{Places: map[Place]bool{}}
	for found, err := range Search(ctx, r.Cluster, topics, filter) {
		if err != nil {
			return Count{}, err
		}
		if found.Sent > 0 && !r.Again {
			count.PassedOver++
			continue
		}
		count.Places[found.Place] = true
		if each != nil {
			each(found)
		}
	}
	return count, nil
}

// Run sends the letters that were counted, in the order of Search, and tells each that is in the redrive topic to sent. It
// passes over what somebody else has sent since the count. When ctx ends it finishes the one in hand and returns ctx's
// error; after any other error the one in hand may be there or not. Called again it goes on where it stopped, unless Again
// is set.
func (r Replay) Run(ctx context.Context, topics Topics, filter Filter, counted Count, sent func(Found)) error {
	if len(counted.Places) == 0 {
		return nil
	}
	filter.Places = counted.Places
	tick := time.NewTicker(time.Duration(float64(time.Second) / r.Rate))
	defer tick.Stop()
	for found, err := range Search(ctx, r.Cluster, topics, filter) {
		if err != nil {
			return err
		}
		if found.Sent > 0 && !r.Again {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if ctx.Err() != nil { // both may be due
			return ctx.Err()
		}
		if err := r.Producer.Produce(context.WithoutCancel(ctx), Redrive(found.Stored, topics.Redrive)); err != nil {
			return fmt.Errorf("send letter %s: %w", found.Place, err)
		}
		sent(found)
	}
	return nil
}
