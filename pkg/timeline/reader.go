package timeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Source is the topics to read.
type Source struct {
	Cluster kafka.Cluster
	Topics  topology.Topics
	// Partitions is how keys are divided among partitions.
	Partitions kafka.PartitionCount
}

// ErrNoCustomer means that nothing is known of a customer.
var ErrNoCustomer = errors.New("no records of this customer")

// Records is what the topics have of a customer.
type Records struct {
	Customer Customer
	// Partition is the customer's partition; Partitions is how many there are.
	Partition, Partitions int
	// Since leaves out what was written before; zero for everything.
	Since time.Time
	// Found has the records by topic, partition and offset.
	Found []kafka.Record
	// Committed has the committed offset of each group and topic in the partition, admin.NeverCommitted for none.
	Committed map[string]map[string]int64
}

// Read reads the records of a customer that were written since a time; zero for all. Of each topic it reads the customer's partition, up to its
// present end, all topics at the same time. The partitions of dead letters are read all: a webhook whose body names no customer is in
// the partition of its own key.
func (s Source) Read(ctx context.Context, customer Customer, since time.Time) (Records, error) {
	found := Records{Customer: customer, Since: since}
	reader, err := kafka.NewTopicReader(s.Cluster, s.Topics.Webhooks())
	if err != nil {
		return found, err
	}
	defer reader.Close()
	all, err := reader.Partitions(ctx)
	if err != nil {
		return found, err
	}
	found.Partitions = s.Partitions.Used(len(all))
	found.Partition = s.Partitions.Of([]byte(customer.Key()), len(all))
	if found.Found, err = s.records(ctx, found.Partition, since, ofCustomer(customer)); err != nil {
		return found, err
	}
	if len(found.Found) == 0 {
		return found, fmt.Errorf("%w: %s, in partition %d of %d", ErrNoCustomer, customer.Key(), found.Partition, found.Partitions)
	}
	unnamed, err := s.unnamed(ctx, found)
	if err != nil {
		return found, err
	}
	found.Found = append(found.Found, unnamed...)
	parked, err := s.parked(ctx, found)
	if err != nil {
		return found, err
	}
	found.Found = append(found.Found, parked...)
	found.Committed, err = s.committed(ctx, customer.Store, found.Partition)
	return found, err
}

// topics returns the topics with records of customers.
func (s Source) topics() []string {
	t := s.Topics
	names := []string{t.Webhooks(), t.Events(), t.Facts(), t.Triggers(), t.Messages(), t.Customers(), t.Subscriptions(), t.Charges()}
	for _, role := range topology.Consumers() {
		names = append(names, t.DeadLetters(role), t.Redrive(role))
	}
	return names
}

// ofCustomer returns what matches the records of a customer by their keys.
func ofCustomer(c Customer) func(kafka.Record) bool {
	key := []byte(c.Key())
	rows := append(bytes.Clone(key), '/')
	return func(r kafka.Record) bool { return bytes.Equal(r.Key, key) || bytes.HasPrefix(r.Key, rows) }
}

// records reads a partition of all topics.
func (s Source) records(ctx context.Context, partition int, since time.Time, match func(kafka.Record) bool) ([]kafka.Record, error) {
	r := s.reading(ctx)
	var readers []*kafka.TopicReader
	defer func() {
		for _, reader := range readers {
			reader.Close()
		}
	}()
	starts := s.reading(ctx)
	ranges := make([]map[int]kafka.OffsetRange, len(s.topics()))
	for i, topic := range s.topics() {
		reader, err := kafka.NewTopicReader(s.Cluster, topic)
		if err != nil {
			return nil, err
		}
		readers = append(readers, reader)
		starts.Go(func() (err error) {
			ranges[i], err = reader.OffsetRangesSince(starts.ctx, s.start(topic, since), partition)
			return err
		})
	}
	if err := starts.Wait(); err != nil {
		return nil, err
	}
	for i, reader := range readers {
		from := s.start(s.topics()[i], since)
		r.partition(reader, partition, ranges[i][partition], func(record kafka.Record) bool { return match(record) && !record.Time.Before(from) })
	}
	return r.sorted()
}

// start returns from when on a topic is read: tables are read whole, because a row may be older than what is shown.
func (s Source) start(topic string, since time.Time) time.Time {
	switch topic {
	case s.Topics.Customers(), s.Topics.Subscriptions(), s.Topics.Charges():
		return time.Time{}
	}
	return since
}
