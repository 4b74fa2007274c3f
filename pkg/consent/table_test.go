package consent_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

func TestTableOnTheEmbeddedBroker(t *testing.T) { conform(t, kafkatest.Embedded(t)) }

func TestTableOnApacheKafka(t *testing.T) { conform(t, kafkatest.Real(t)) }

func conform(t *testing.T, b kafkatest.Broker) {
	for name, test := range map[string]func(*testing.T, *tableBench){
		"unknown until it is ready":            unknownUntilReady,
		"the newest by source time holds":      newestHolds,
		"a change counts at once":              countsAtOnce,
		"modes are those of the stores":        modesOfStores,
		"a value that can't be read counts":    unreadableCounts,
		"counts are those of the numbers":      countsNumbers,
		"an event that is repeated":            eventRepeated,
		"many writers without order or a lock": manyWriters,
	} {
		t.Run(name, func(t *testing.T) { test(t, &tableBench{t: t, broker: b, topic: kafkatest.Topic(t, b.Addr(), 3)}) })
	}
}

// tableBench is a topic and the tables that follow it.
type tableBench struct {
	t      *testing.T
	broker kafkatest.Broker
	topic  string
}

// table returns a table of the topic, which follows it, with the texts of its log.
func (b *tableBench) table(modes map[string]consent.Mode) (*consent.Table, *observer.ObservedLogs) {
	core, logged := observer.New(zap.WarnLevel)
	table := consent.NewTable(b.topic, modes, zap.New(core))
	ctx, cancel := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	running.Go(func() { assert.NoError(b.t, table.Run(ctx, b.broker.Cluster())) })
	b.t.Cleanup(func() { cancel(); running.Wait() })
	select {
	case <-table.Ready():
	case <-time.After(30 * time.Second):
		require.Fail(b.t, "the table is not ready")
	}
	return table, logged
}

func (b *tableBench) write(changes ...consent.Change) {
	b.t.Helper()
	producer := kafka.NewProducer(b.broker.Cluster(), kafka.ProducerConfig{})
	defer func() { assert.NoError(b.t, producer.Close()) }()
	for _, c := range changes {
		record, err := c.Record(b.topic, noon)
		require.NoError(b.t, err)
		require.NoError(b.t, producer.Produce(b.t.Context(), record))
	}
}

var optOut = map[string]consent.Mode{"acme": consent.ModeOptOut}

func unknownUntilReady(t *testing.T, b *tableBench) {
	table := consent.NewTable(b.topic, optOut, zap.NewNop())
	why, may := table.MayText("acme", number)
	assert.Equal(t, reason.ConsentUnknown, why)
	assert.False(t, may)
}

func newestHolds(t *testing.T, b *tableBench) {
	b.write(change(t, number, consent.OptedOut, noon.Add(2*time.Second)), change(t, number, consent.OptedIn, noon.Add(time.Second)),
		change(t, "+447911123456", consent.OptedOut, noon), change(t, "+447911123456", consent.OptedIn, noon),
		change(t, "+4915123456789", consent.OptedOut, noon), change(t, "+4915123456789", consent.OptedIn, noon.Add(time.Millisecond)))
	table, _ := b.table(optOut)
	for number, want := range map[string]reason.Reason{number: reason.OptedOut, "+447911123456": reason.OptedOut, "+4915123456789": "", "+14155550100": ""} {
		why, may := table.MayText("acme", number)
		assert.Equal(t, want, why, number)
		assert.Equal(t, want == "", may, number)
	}
}

// An opt-out holds as soon as the table has it, which is less than a second after a gateway has answered.
func countsAtOnce(t *testing.T, b *tableBench) {
	table, _ := b.table(optOut)
	_, may := table.MayText("acme", number)
	require.True(t, may)
	b.write(change(t, number, consent.OptedOut, noon))
	require.Eventually(t, func() bool {
		_, may := table.MayText("acme", number)
		return !may
	}, 2*time.Second, time.Millisecond)
}

// Whether all numbers may be texted is not known while a broker does not answer.
func TestTableIsCurrent(t *testing.T) {
	b := &tableBench{t: t, broker: kafkatest.Embedded(t, kafkatest.WithProxies())}
	b.topic = kafkatest.Topic(t, b.broker.Addr(), 3)
	table, _ := b.table(optOut)
	require.Eventually(t, table.IsCurrent, 30*time.Second, time.Millisecond)
	b.broker.Proxy().Hold(1) // the answers to Fetch
	b.write(change(t, number, consent.OptedOut, noon))
	require.Eventually(t, func() bool { return !table.IsCurrent() }, 30*time.Second, time.Millisecond)
	b.broker.Proxy().Release()
	require.Eventually(t, table.IsCurrent, 30*time.Second, time.Millisecond)
	_, may := table.MayText("acme", number)
	assert.False(t, may)
}

func modesOfStores(t *testing.T, b *tableBench) {
	table, _ := b.table(map[string]consent.Mode{"acme": consent.ModeOptOut, "beta": consent.ModeOptIn, "gamma": consent.ModeDestination})
	for store, want := range map[string]reason.Reason{"acme": "", "beta": reason.NotOptedIn, "gamma": ""} {
		why, may := table.MayText(store, number)
		assert.Equal(t, want, why, store)
		assert.Equal(t, want == "", may, store)
	}
}

// A later version may write values that this one can't read. Their status is in the key.
func unreadableCounts(t *testing.T, b *tableBench) {
	producer := kafka.NewProducer(b.broker.Cluster(), kafka.ProducerConfig{})
	require.NoError(t, producer.Produce(t.Context(),
		kafka.Record{Topic: b.topic, Partition: kafka.ByKey, Key: []byte(change(t, number, consent.OptedOut, noon).Key()), Value: []byte("\x02")},
		kafka.Record{Topic: b.topic, Partition: kafka.ByKey, Key: []byte("acme/odd"), Value: []byte("{}")}))
	require.NoError(t, producer.Close())
	table, logged := b.table(optOut)
	why, _ := table.MayText("acme", number)
	assert.Equal(t, reason.OptedOut, why)
	assert.Equal(t, 1, logged.Len(), "the row whose key is none")
}

func countsNumbers(t *testing.T, b *tableBench) {
	b.write(change(t, number, consent.OptedOut, noon), change(t, number, consent.OptedIn, noon.Add(time.Second)),
		change(t, "+447911123456", consent.OptedOut, noon), change(t, "+4915123456789", consent.OptedOut, noon))
	table, _ := b.table(optOut)
	in, out := table.Count("acme")
	assert.Equal(t, []int{1, 2}, []int{in, out})
	in, out = table.Count("acm")
	assert.Equal(t, []int{0, 0}, []int{in, out})
	rows, err := consent.Topic(b.topic).Read(t.Context(), b.broker.Cluster())
	require.NoError(t, err)
	assert.Len(t, consent.Newest(rows.Prefix("acme/")), 3)
	history := consent.History(rows, "acme", number)
	assert.Equal(t, []consent.Status{consent.OptedIn, consent.OptedOut}, []consent.Status{history[0].Status, history[1].Status})
}

// A repetition of an event counts nowhere.
func eventRepeated(t *testing.T, b *tableBench) {
	start, stop := change(t, number, consent.OptedIn, noon), change(t, number, consent.OptedOut, noon.Add(time.Second))
	start.Event, stop.Event = "SM1", "SM2"
	repeated := start
	repeated.At = noon.Add(time.Minute)
	b.write(repeated, stop, start)
	table, _ := b.table(optOut)
	why, _ := table.MayText("acme", number)
	assert.Equal(t, reason.OptedOut, why)
	in, out := table.Count("acme")
	assert.Equal(t, []int{0, 1}, []int{in, out})
	rows, err := consent.Topic(b.topic).Read(t.Context(), b.broker.Cluster())
	require.NoError(t, err)
	assert.Equal(t, []consent.Change{stop, start}, consent.History(rows, "acme", number))
}

// Gateways and commands write at the same time without knowing of each other. The newest holds.
func manyWriters(t *testing.T, b *tableBench) {
	var writers sync.WaitGroup
	for n := range 6 {
		status := consent.OptedIn
		if n == 5 {
			status = consent.OptedOut
		}
		writers.Go(func() { b.write(change(t, number, status, noon.Add(time.Duration(n)*time.Second))) })
	}
	writers.Wait()
	table, _ := b.table(optOut)
	why, _ := table.MayText("acme", number)
	assert.Equal(t, reason.OptedOut, why)
}
