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

// Replay sends letters to their role again.
type Replay struct {
	Cluster  kafka.Cluster
	Producer Producer
	// Rate is the largest number of letters per second, above 0.
	Rate float64
	// Again also sends letters that were sent before.
	Again bool
}

// Count holds the letters that a search found, and how many of them Run would skip.
type Count struct {
	// Positions are the letters that Run would send.
	Positions map[Position]bool
	// Skipped is the number of letters that were sent before.
	Skipped int
}

// Count searches without sending. It calls each, if not nil, with every letter that Run would send.
func (r Replay) Count(ctx context.Context, topics Topics, filter Filter, each func(Found)) (Count, error) {
	count := Count{Positions: map[Position]bool{}}
	for found, err := range Search(ctx, r.Cluster, topics, filter) {
		if err != nil {
			return Count{}, err
		}
		if found.Sent > 0 && !r.Again {
			count.Skipped++
			continue
		}
		count.Positions[found.Position] = true
		if each != nil {
			each(found)
		}
	}
	return count, nil
}

// Run sends the counted letters in the order of Search, and calls sent for each one written to the redrive topic. It skips
// letters that were sent since Count. When ctx ends it finishes the current letter and returns the error of ctx. After any
// other error it is unknown whether the current letter was written. The next Run skips letters that were sent, unless Again is set.
func (r Replay) Run(ctx context.Context, topics Topics, filter Filter, counted Count, sent func(Found)) error {
	if len(counted.Positions) == 0 {
		return nil
	}
	filter.Positions = counted.Positions
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
		if ctx.Err() != nil { // both cases may be ready
			return ctx.Err()
		}
		if err := r.Producer.Produce(context.WithoutCancel(ctx), Redrive(found.Stored, topics.Redrive)); err != nil {
			return fmt.Errorf("send letter %s: %w", found.Position, err)
		}
		sent(found)
	}
	return nil
}
