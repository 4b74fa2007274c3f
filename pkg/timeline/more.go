package timeline

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// unnamed reads the dead letters of webhooks whose bodies name one of the customer's resources and no customer.
func (s Source) unnamed(ctx context.Context, found Records) ([]kafka.Record, error) {
	resources := resourceKeys(s.Topics, found)
	if len(resources) == 0 {
		return nil, nil
	}
	r := s.reading(ctx)
	topic := s.Topics.DeadLetters(topology.RoleTransformer)
	reader, err := kafka.NewTopicReader(s.Cluster, topic)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	partitions, err := reader.Partitions(ctx)
	if err != nil {
		return nil, err
	}
	ranges, err := reader.OffsetRangesSince(ctx, found.Since, partitions...)
	if err != nil {
		return nil, err
	}
	for _, partition := range partitions {
		r.partition(reader, partition, ranges[partition], func(record kafka.Record) bool {
			return resources[string(record.Key)] && !record.Time.Before(found.Since)
		})
	}
	return r.sorted()
}

// resourceKeys returns the keys of webhooks that name only a subscription or a charge, for those that the tables have of the customer.
func resourceKeys(topics topology.Topics, found Records) map[string]bool {
	keys := map[string]bool{}
	for _, r := range found.Found {
		id := r.Key[strings.LastIndexByte(string(r.Key), '/')+1:]
		switch r.Topic {
		case topics.Subscriptions():
			keys[found.Customer.Store+"/subscription/"+string(id)] = true
		case topics.Charges():
			keys[found.Customer.Store+"/charge/"+string(id)] = true
		}
	}
	return keys
}

// skew is by how much the clocks of brokers and of those who write to them may differ.
const skew = 10 * time.Minute

// parked reads the rows of recharge.state of the customer's records that may be parked. A record is parked behind every parked one, so these
// are the last ones, without outputs.
func (s Source) parked(ctx context.Context, found Records) ([]kafka.Record, error) {
	last := withoutOutputs(s.Topics, found)
	if len(last) == 0 {
		return nil, nil
	}
	keys := map[string]bool{}
	for _, raw := range last {
		keys[string(customerstate.ParkedKey(found.ref(), raw.Partition, raw.Offset))] = true
	}
	reader, err := kafka.NewTopicReader(s.Cluster, s.Topics.State())
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	ranges, err := reader.OffsetRangesSince(ctx, last[0].Time.Add(-skew), found.Partition)
	if err != nil {
		return nil, err
	}
	r := s.reading(ctx)
	r.partition(reader, found.Partition, ranges[found.Partition], func(record kafka.Record) bool { return keys[string(record.Key)] })
	return r.sorted()
}

func (r Records) ref() customerstate.Ref {
	return customerstate.Ref{Store: r.Customer.Store, CustomerID: r.Customer.ID}
}

// withoutOutputs returns the webhooks behind the last raw record that has an output, in their order.
func withoutOutputs(topics topology.Topics, found Records) (last []kafka.Record) {
	outputs := map[place]bool{}
	for _, r := range found.Found {
		if topic, partition, offset, err := envelope.RawPosition(r); err == nil {
			outputs[place{topic, partition, offset}] = true
		}
	}
	for _, r := range slices.Backward(found.Found) {
		if r.Topic != topics.Webhooks() || rawKind(r) != KindWebhook {
			continue
		}
		if outputs[placeOf(r)] {
			break
		}
		last = append(last, r)
	}
	slices.Reverse(last)
	return last
}

// committed reads the committed offsets of the groups that read the records of a store.
func (s Source) committed(ctx context.Context, store string, partition int) (map[string]map[string]int64, error) {
	reader, err := admin.NewLagReader(s.Cluster, time.Now)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var queries []admin.LagQuery
	for _, group := range s.Topics.Groups(func(topology.Role) []string { return []string{store} }) {
		query := admin.LagQuery{Group: group.Name, Partitions: map[string][]int{}}
		for _, topic := range group.Topics {
			query.Partitions[topic] = []int{partition}
		}
		queries = append(queries, query)
	}
	lags, err := reader.Read(ctx, queries...)
	if err != nil {
		return nil, err
	}
	offsets := map[string]map[string]int64{}
	for _, lag := range lags {
		if offsets[lag.Group] == nil {
			offsets[lag.Group] = map[string]int64{}
		}
		offsets[lag.Group][lag.Topic] = lag.Committed
	}
	return offsets, nil
}
