package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// TestMain ignores kfake's goroutines, which wait for its lock or for the end of a fault if that holds a response when the cluster is closed.
func TestMain(m *testing.M) {
	const cluster = "github.com/twmb/franz-go/pkg/kfake.(*Cluster)."
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(cluster+"continueSleptControl"), goleak.IgnoreAnyFunction(cluster+"runControl.func1"),
		goleak.IgnoreAnyFunction(cluster+"run"))
}

const patience = 30 * time.Second

// produce publishes records and fails the test if they are not acknowledged.
func produce(t *testing.T, cluster kafka.Cluster, records ...kafka.Record) {
	t.Helper()
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	require.NoError(t, producer.Produce(t.Context(), records...))
	require.NoError(t, producer.Close())
}

// newProducer returns a producer that is closed at the end of the test.
func newProducer(t *testing.T, cluster kafka.Cluster) *kafka.Producer {
	t.Helper()
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { assert.NoError(t, producer.Close()) })
	return producer
}

// numbered returns records with values "0", "1", … for one partition.
func numbered(topic string, partition, count int) []kafka.Record {
	var records []kafka.Record
	for i := range count {
		records = append(records, kafka.Record{Topic: topic, Partition: partition, Value: fmt.Append(nil, i)})
	}
	return records
}

func values(records []kafka.Record) []string {
	all := make([]string, 0, len(records))
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return all
}

// quick returns a consumer configuration with short timeouts.
func quick(group string, topics ...string) kafka.ConsumerConfig {
	return kafka.ConsumerConfig{
		Group: group, Topics: topics, FetchWait: 50 * time.Millisecond,
		SessionTimeout: 6 * time.Second, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: 10 * time.Second,
	}
}

// running is a running consumer.
type running struct {
	*kafka.Consumer
	t      *testing.T
	cancel context.CancelFunc
	result chan error
	once   sync.Once
}

// run starts a consumer. It is stopped at the end of the test at the latest.
func run(t *testing.T, cluster kafka.Cluster, config kafka.ConsumerConfig, log *zap.Logger, handle kafka.Handler) *running {
	t.Helper()
	consumer := kafka.NewConsumer(cluster, config, log)
	return start(t, consumer, func(ctx context.Context) error { return consumer.Run(ctx, handle) })
}

// runTransactions starts a consumer with transactions. It is stopped at the end of the test at the latest.
func runTransactions(t *testing.T, cluster kafka.Cluster, config kafka.ConsumerConfig, log *zap.Logger, transactions kafka.Transactions) *running {
	t.Helper()
	consumer := kafka.NewConsumer(cluster, config, log)
	return start(t, consumer, func(ctx context.Context) error { return consumer.RunTransactions(ctx, transactions) })
}

func start(t *testing.T, consumer *kafka.Consumer, run func(context.Context) error) *running {
	ctx, cancel := context.WithCancel(context.Background()) // canceled in stop
	r := &running{Consumer: consumer, t: t, cancel: cancel, result: make(chan error, 1)}
	go func() { r.result <- run(ctx) }()
	t.Cleanup(r.stop)
	return r
}

// stop ends the consumer and waits until it has left the group.
func (r *running) stop() {
	r.t.Helper()
	r.once.Do(func() {
		r.cancel()
		select {
		case err := <-r.result:
			require.NoError(r.t, err)
		case <-time.After(patience):
			require.Fail(r.t, "consumer does not stop")
		}
	})
}

// eventually waits for a condition.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, patience, 5*time.Millisecond, what)
}

// collector is a handler that collects records.
type collector struct {
	mutex   sync.Mutex
	records []kafka.Record
}

func (c *collector) handle(_ context.Context, records []kafka.Record) (kafka.Finished, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.records = append(c.records, records...)
	return kafka.Finished{First: len(records)}, nil
}

func (c *collector) all() []kafka.Record {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]kafka.Record(nil), c.records...)
}

func (c *collector) count() int { return len(c.all()) }

// consumeAll consumes until want records were handled, stops, and returns them.
func consumeAll(t *testing.T, cluster kafka.Cluster, config kafka.ConsumerConfig, want int) []kafka.Record {
	t.Helper()
	var c collector
	r := run(t, cluster, config, zap.NewNop(), c.handle)
	eventually(t, func() bool { return c.count() >= want }, "records handled")
	r.stop()
	return c.all()
}

// assertNoGaps checks that in each partition no record was handled before those that precede it. Duplicates are allowed.
func assertNoGaps(t *testing.T, handled []kafka.Record) {
	t.Helper()
	next := make(map[string]int64)
	for _, r := range handled {
		at := fmt.Sprint(r.Topic, "/", r.Partition)
		if !assert.LessOrEqualf(t, r.Offset, next[at], "record %d of %s was handled before %d", r.Offset, at, next[at]) {
			return
		}
		next[at] = max(next[at], r.Offset+1)
	}
}

// assigned reports whether a consumer has at least one partition.
func assigned(r *running) bool {
	for _, partitions := range r.Status().Partitions {
		if len(partitions) > 0 {
			return true
		}
	}
	return false
}
