package backtest

import (
	"context"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/partitions"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Last returns the last trigger of a customer and a flow that arrived since a time, nil if there is none. It reads the customer's partition.
func (s Source) Last(ctx context.Context, among kafka.PartitionCount, store, customer string, key flow.Key, since time.Time) (*subscriber.Trigger, error) {
	reader, err := partitions.Open(s.Cluster, s.Topics.Triggers())
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	numbers, err := reader.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	of := store + "/" + customer
	var last *subscriber.Trigger
	err = reader.Read(ctx, s.Topics.Triggers(), among.Of([]byte(of), len(numbers)), since, func(r kafka.Record) error {
		if string(r.Key) != of {
			return nil
		}
		if a, err := Decode(r); err == nil && a.Trigger != nil && a.Trigger.Flow == key { // one that can't be read is a dead letter
			last = a.Trigger
		}
		return nil
	})
	return last, err
}
