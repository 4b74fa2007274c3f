// Package repair sends webhooks again that came under a topic that Recharge does not have, because their address was mistyped: they were
// stored and skipped.
//
//	r := repair.Repair{Cluster: cluster, Producer: producer, Topic: "recharge.webhooks", From: "subscription/creatd", To: "subscription/created", Rate: 50}
//	count, err := r.Count(ctx)
//	err = r.Run(ctx, count, sent)
package repair

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Producer appends records to Kafka and returns once every in-sync replica has them.
type Producer interface {
	Produce(ctx context.Context, records ...kafka.Record) error
}

// Repair publishes the webhooks of one topic again as those of another, to the raw topic that has them.
type Repair struct {
	Cluster  kafka.Cluster
	Producer Producer // needed by Run
	Topic    string   // the raw topic
	From, To recharge.Topic
	Store    string // "" means all stores
	// Since selects webhooks of this time or later; the zero time: all.
	Since time.Time
	// Rate is the largest number of webhooks per second, above 0.
	Rate float64
	Now  func() time.Time
}

// Count is what Run would send.
type Count struct {
	// Offsets are the webhooks to send, by partition, in order.
	Offsets map[int][]int64
	// Stores is the number of webhooks to send, by store.
	Stores map[string]int
	// Sent is the number of webhooks that were sent as the same topic before.
	Sent int
	// Unfit is why webhooks can't be of the topic, and how many. They are not sent.
	Unfit map[string]int
}

// Total is the number of webhooks to send.
func (c Count) Total() (total int) {
	for _, offsets := range c.Offsets {
		total += len(offsets)
	}
	return total
}

// Count reads the raw topic up to its present end.
func (r Repair) Count(ctx context.Context) (Count, error) {
	unfit := map[string]int{}
	wrong, sent := map[string]found{}, map[string]bool{}
	for raw, err := range kafka.Scan(ctx, r.Cluster, r.Topic, r.Since) {
		if err != nil {
			return Count{}, err
		}
		switch {
		case r.isRepaired(raw):
			sent[raw.Header(envelope.HeaderRepairOf)] = true
		case r.isWrong(raw):
			if _, err := admission.Retopic(raw, r.To, r.Now()); err != nil {
				unfit[err.Error()]++
				continue
			}
			// they may be many: without their bodies and the responses that these are in
			wrong[admission.Position(raw)] = found{raw.Partition, raw.Offset, strings.Clone(raw.Header(envelope.HeaderStore))}
		}
	}
	count := without(wrong, sent)
	count.Unfit = unfit
	return count, nil
}

func (r Repair) isRepaired(raw kafka.Record) bool {
	return raw.Header(envelope.HeaderSource) == envelope.SourceOperator && raw.Header(envelope.HeaderRechargeTopic) == string(r.To)
}

func (r Repair) isWrong(raw kafka.Record) bool {
	return raw.Header(envelope.HeaderRechargeTopic) == string(r.From) && (r.Store == "" || raw.Header(envelope.HeaderStore) == r.Store)
}

// found is a webhook under the wrong topic.
type found struct {
	partition int
	offset    int64
	store     string
}

// without counts the webhooks that were not sent.
func without(wrong map[string]found, sent map[string]bool) Count {
	count := Count{Offsets: map[int][]int64{}, Stores: map[string]int{}}
	for position, raw := range wrong {
		if sent[position] {
			count.Sent++
			continue
		}
		count.Offsets[raw.partition] = append(count.Offsets[raw.partition], raw.offset)
		count.Stores[raw.store]++
	}
	for _, offsets := range count.Offsets {
		slices.Sort(offsets)
	}
	return count
}

// Run sends the counted webhooks, those of a partition in order, and calls sent after each. When ctx ends it finishes the current one and
// returns the error of ctx. After any other error it is unknown whether the current webhook was written: the next Count skips those
// that were.
func (r Repair) Run(ctx context.Context, count Count, sent func()) error {
	reader, err := kafka.NewTopicReader(r.Cluster, r.Topic)
	if err != nil {
		return err
	}
	defer reader.Close()
	tick := time.NewTicker(time.Duration(float64(time.Second) / r.Rate))
	defer tick.Stop()
	for raw, err := range counted(ctx, reader, count) {
		if errors.Is(err, kafka.ErrNoRecord) {
			continue // retention has deleted it meanwhile
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if ctx.Err() != nil { // both cases may be ready
			return ctx.Err()
		}
		if err := r.send(context.WithoutCancel(ctx), raw); err != nil {
			return fmt.Errorf("send webhook %s: %w", admission.Position(raw), err)
		}
		sent()
	}
	return nil
}

// counted yields the counted records, partition by partition.
func counted(ctx context.Context, reader *kafka.TopicReader, count Count) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		for _, partition := range slices.Sorted(maps.Keys(count.Offsets)) {
			for raw, err := range reader.Records(ctx, partition, count.Offsets[partition]...) {
				if !yield(raw, err) {
					return
				}
			}
		}
	}
}

func (r Repair) send(ctx context.Context, raw kafka.Record) error {
	record, err := admission.Retopic(raw, r.To, r.Now())
	if err != nil {
		return err
	}
	return r.Producer.Produce(ctx, record)
}
