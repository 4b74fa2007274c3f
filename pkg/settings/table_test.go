package settings_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

const patience = 30 * time.Second

// conformance are the cases that hold with every broker, embedded and Apache Kafka.
var conformance = []struct {
	name string
	test func(*testing.T, kafkatest.Broker)
}{
	{"a table is ready when it has all rows", readyWithAllRows},
	{"a table follows its topic", follows},
	{"a snapshot never changes", snapshotStays},
	{"a row that can't be decoded leaves the previous one", unreadableRow},
	{"a table waits for its topic", waitsForTopic},
	{"a change is one transaction", changeIsWhole},
	{"one of two changes of the same version wins", oneWins},
	{"no change is lost", noneLost},
	{"a change without records writes nothing", nothingToDo},
}

func TestOnTheEmbeddedBroker(t *testing.T) { conform(t, kafkatest.Embedded(t)) }

func TestOnApacheKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	conform(t, kafkatest.Real(t))
}

func conform(t *testing.T, b kafkatest.Broker) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, b)
		})
	}
}

// A table that can't read its topic for a while does not pass its rows off as current. They are, when it has read what was written meanwhile.
func TestCurrent(t *testing.T) {
	b := kafkatest.Embedded(t, kafkatest.WithProxies())
	topic := kafkatest.Topic(t, b.Addr(), 3)
	assert.False(t, settings.NewTable(topicOf(topic), zap.NewNop()).IsCurrent(time.Hour), "nothing is read")
	table := follow(t, b, topic, zap.NewNop())
	awaitReady(t, table)
	const age = time.Second
	for version := range 2 {
		require.Eventually(t, func() bool { return table.IsCurrent(age) }, patience, time.Millisecond)
		b.Proxy().Hold(1) // the answers to Fetch
		require.Eventually(t, func() bool { return !table.IsCurrent(age) }, patience, time.Millisecond)
		write(t, b, record(topic, 2, "a", row{Version: version}))
		assert.False(t, table.IsCurrent(age))
		if version == 1 {
			b.Proxy().Cut()
		}
		b.Proxy().Release()
		require.Eventually(t, func() bool { return table.IsCurrent(age) }, patience, time.Millisecond)
		got, _ := table.Rows().Get("a")
		assert.Equal(t, version, got.Version, "what was written before counts")
	}
}

// row is a row of the tests.
type row struct {
	Version int    `json:"version"`
	By      string `json:"by"`
}

func topicOf(name string) settings.Topic[row] {
	return settings.Topic[row]{Name: name, Decode: func(_ string, value []byte) (r row, err error) {
		return r, json.Unmarshal(value, &r)
	}}
}

func record(topic string, partition int, key string, r row) kafka.Record {
	value := fmt.Appendf(nil, `{"version":%d,"by":%q}`, r.Version, r.By)
	return kafka.Record{Topic: topic, Partition: partition, Key: []byte(key), Value: value}
}

// write publishes records outside of Change.
func write(t *testing.T, b kafkatest.Broker, records ...kafka.Record) {
	t.Helper()
	producer := kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{})
	require.NoError(t, producer.Produce(t.Context(), records...))
	require.NoError(t, producer.Close())
}

// follow runs a table until the end of the test.
func follow(t *testing.T, b kafkatest.Broker, topic string, log *zap.Logger) *settings.Table[row] {
	t.Helper()
	table := settings.NewTable(topicOf(topic), log)
	ctx, cancel := context.WithCancel(context.Background()) // canceled at the end of the test
	ended := make(chan error, 1)
	go func() { ended <- table.Run(ctx, b.Cluster()) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	return table
}

func awaitReady(t *testing.T, table *settings.Table[row]) {
	t.Helper()
	select {
	case <-table.Ready():
	case <-time.After(patience):
		require.Fail(t, "table is not ready")
	}
}

// awaitRow waits until a key has a row, at most the two seconds in which a change must be in force.
func awaitRow(t *testing.T, table *settings.Table[row], key string, want row) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, ok := table.Rows().Get(key)
		return ok && got == want
	}, 2*time.Second, time.Millisecond, "row %s", key)
}

func readyWithAllRows(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 3)
	var records []kafka.Record
	for i := range 1000 {
		records = append(records, record(topic, i%3, fmt.Sprintf("key/%03d", i), row{Version: i}))
	}
	write(t, b, append(records, kafka.Record{Topic: topic, Partition: 1, Key: []byte("key/001")})...)
	table := follow(t, b, topic, zap.NewNop())
	awaitReady(t, table)
	rows := table.Rows()
	assert.Equal(t, 999, rows.Len())
	_, deleted := rows.Get("key/001")
	assert.False(t, deleted, "a tombstone deletes a row")
	var keys []string
	for key := range rows.Prefix("key/99") {
		keys = append(keys, key)
	}
	assert.Equal(t, []string{
		"key/990", "key/991", "key/992", "key/993", "key/994", "key/995", "key/996", "key/997", "key/998", "key/999",
	}, keys)
	read, err := topicOf(topic).Read(t.Context(), b.Cluster())
	require.NoError(t, err)
	assert.Equal(t, 999, read.Len())
}

func follows(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	tables := []*settings.Table[row]{follow(t, b, topic, zap.NewNop()), follow(t, b, topic, zap.NewNop())}
	for _, table := range tables {
		awaitReady(t, table)
		assert.Zero(t, table.Rows().Len())
	}
	for version := range 3 {
		write(t, b, record(topic, 0, "a", row{Version: version}))
		for _, table := range tables {
			awaitRow(t, table, "a", row{Version: version})
		}
	}
	write(t, b, kafka.Record{Topic: topic, Key: []byte("a")})
	require.Eventually(t, func() bool { return tables[0].Rows().Len() == 0 }, 2*time.Second, time.Millisecond)
}

func snapshotStays(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	write(t, b, record(topic, 0, "a", row{Version: 1}), record(topic, 0, "b", row{Version: 1}))
	table := follow(t, b, topic, zap.NewNop())
	awaitReady(t, table)
	before := table.Rows()
	write(t, b, record(topic, 0, "a", row{Version: 2}), kafka.Record{Topic: topic, Key: []byte("b")}, record(topic, 0, "c", row{Version: 1}))
	awaitRow(t, table, "c", row{Version: 1})
	a, _ := before.Get("a")
	assert.Equal(t, 1, a.Version)
	assert.Equal(t, 2, before.Len())
}

func unreadableRow(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	write(t, b, record(topic, 0, "a", row{Version: 1}), kafka.Record{Topic: topic, Key: []byte("a"), Value: []byte(`{"version":`)})
	core, log := observer.New(zap.ErrorLevel)
	table := follow(t, b, topic, zap.New(core))
	awaitReady(t, table)
	a, ok := table.Rows().Get("a")
	assert.True(t, ok)
	assert.Equal(t, 1, a.Version)
	require.ErrorContains(t, table.Rows().Unreadable(), `decode row "a", offset 1 of partition 0 of topic `+topic)
	assert.Equal(t, 1, log.Len())
	write(t, b, record(topic, 0, "a", row{Version: 3}))
	awaitRow(t, table, "a", row{Version: 3})
	assert.NoError(t, table.Rows().Unreadable())
}

func waitsForTopic(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	kafkatest.DeleteTopic(t, b.Addr(), topic)
	core, log := observer.New(zap.WarnLevel)
	table := follow(t, b, topic, zap.New(core))
	require.Eventually(t, func() bool { return log.FilterMessage("read offsets of topic failed, retrying").Len() > 0 }, patience, time.Millisecond)
	assert.False(t, table.IsReady())
	_, err := topicOf(topic).Read(t.Context(), b.Cluster())
	assert.ErrorContains(t, err, topic)
}

// increment adds one to the version of a row.
func increment(t *testing.T, b kafkatest.Broker, topic, by string) error {
	return topicOf(topic).Change(t.Context(), b.Cluster(), topic, func(rows *settings.Rows[row]) ([]kafka.Record, error) {
		a, _ := rows.Get("a")
		next := row{Version: a.Version + 1, By: by}
		return []kafka.Record{record(topic, 0, "a", next), record(topic, 0, fmt.Sprintf("a/%03d", next.Version), next)}, nil
	})
}

func changeIsWhole(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	require.NoError(t, increment(t, b, topic, "x"))
	require.NoError(t, increment(t, b, topic, "y"))
	rows, err := topicOf(topic).Read(t.Context(), b.Cluster())
	require.NoError(t, err)
	a, _ := rows.Get("a")
	first, _ := rows.Get("a/001")
	second, _ := rows.Get("a/002")
	assert.Equal(t, []row{{2, "y"}, {1, "x"}, {2, "y"}}, []row{a, first, second})
}

var errVersion = errors.New("another version")

// oneWins: both have seen version 0 and want to write version 1.
func oneWins(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	errs := make(chan error, 2)
	for i := range 2 {
		go func() {
			errs <- topicOf(topic).Change(t.Context(), b.Cluster(), topic, func(rows *settings.Rows[row]) ([]kafka.Record, error) {
				if rows.Len() > 0 {
					return nil, errVersion
				}
				return []kafka.Record{record(topic, 0, "a", row{Version: 1, By: fmt.Sprint(i)})}, nil
			})
		}()
	}
	found := []error{<-errs, <-errs}
	assert.Contains(t, found, nil)
	assert.Contains(t, found, errVersion)
	assert.Len(t, kafkatest.All(t, b.Addr(), topic), 1)
}

func noneLost(t *testing.T, b kafkatest.Broker) {
	const writers, each = 3, 3
	topic := kafkatest.Topic(t, b.Addr(), 1)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range each {
				for err := settings.ErrBusy; errors.Is(err, settings.ErrBusy); {
					err = increment(t, b, topic, fmt.Sprint(i))
					if !errors.Is(err, settings.ErrBusy) {
						assert.NoError(t, err)
					}
				}
			}
		})
	}
	all.Wait()
	rows, err := topicOf(topic).Read(t.Context(), b.Cluster())
	require.NoError(t, err)
	a, _ := rows.Get("a")
	assert.Equal(t, writers*each, a.Version)
	assert.Equal(t, writers*each+1, rows.Len(), "each version was written by one")
	byWriter := map[string]int{}
	for _, r := range rows.Prefix("a/") {
		byWriter[r.By]++
	}
	for i := range writers {
		assert.Equal(t, each, byWriter[fmt.Sprint(i)])
	}
}

func nothingToDo(t *testing.T, b kafkatest.Broker) {
	topic := kafkatest.Topic(t, b.Addr(), 1)
	none := func(*settings.Rows[row]) ([]kafka.Record, error) { return nil, nil }
	require.NoError(t, topicOf(topic).Change(t.Context(), b.Cluster(), topic, none))
	assert.Empty(t, kafkatest.All(t, b.Addr(), topic))
}
