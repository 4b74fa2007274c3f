package kafkatest

import (
	"context"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// ReadAll returns a topic's committed records up to where its partitions end now: one partition after the other, each in
// order.
func ReadAll(ctx context.Context, cluster kafka.Cluster, topic string) ([]kafka.Record, error) {
	var all []kafka.Record
	for record, err := range kafka.Scan(ctx, cluster, topic, time.Time{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, record)
	}
	return all, nil
}
