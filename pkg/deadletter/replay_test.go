package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// office is a broker with the topics of one role, and a producer.
type office struct {
	t        *testing.T
	cluster  kafka.Cluster
	topics   deadletter.Topics
	producer *kafka.Producer
}

func newOffice(t *testing.T) *office {
	t.Helper()
	broker := kafkatest.Embedded(t)
	o := &office{
		t: t, cluster: broker.Cluster(), producer: kafka.NewProducer(broker.Cluster(), kafka.ProducerConfig{}),
		topics: deadletter.Topics{Letters: kafkatest.Topic(t, broker.Addr(), 2), Redrive: kafkatest.Topic(t, broker.Addr(), 2)},
	}
	t.Cleanup(func() { require.NoError(t, o.producer.Close()) })
	return o
}

// lay writes a letter of a record of acme, changed by change.
func (o *office) lay(partition int, change func(*deadletter.Letter)) {
	o.t.Helper()
	letter := deadletter.Letter{Record: kafka.Record{
		Topic: "recharge.events", Partition: partition, Offset: 40, Key: []byte("acme/1"), Value: []byte("{}"), Time: at(0),
		Headers: []kafka.Header{{Key: "store", Value: []byte("acme")}},
	}}
	if change != nil {
		change(&letter)
	}
	reason := letter.Reason
	if reason == "" {
		reason = "refused"
	}
	require.NoError(o.t, o.producer.Produce(o.t.Context(), letter.Rejected("tracking", reason, "says no", at(1)).To(o.topics.Letters)))
}

// found returns the positions of the letters that a search finds, and how often each was sent.
func (o *office) found(f deadletter.Filter) []string {
	o.t.Helper()
	all := []string{}
	for found, err := range deadletter.Search(o.t.Context(), o.cluster, o.topics, f) {
		require.NoError(o.t, err)
		all = append(all, fmt.Sprint(found.Position, " x", found.Sent))
	}
	return all
}

// run replays the letters found and returns the positions sent.
func (o *office) run(ctx context.Context, r deadletter.Replay, f deadletter.Filter, each func()) (sent []string, err error) {
	o.t.Helper()
	r.Cluster, r.Rate = o.cluster, 1e4
	if r.Producer == nil {
		r.Producer = o.producer
	}
	counted, err := r.Count(o.t.Context(), o.topics, f, nil)
	require.NoError(o.t, err)
	err = r.Run(ctx, o.topics, f, counted, func(found deadletter.Found) {
		sent = append(sent, found.Position.String())
		if each != nil {
			each()
		}
	})
	return sent, err
}

func TestSearchFilters(t *testing.T) {
	o := newOffice(t)
	o.lay(0, nil)
	o.lay(0, func(l *deadletter.Letter) { l.Record.Headers[0].Value = []byte("beta") })
	o.lay(0, func(l *deadletter.Letter) { l.Reason = "malformed" })
	o.lay(1, func(l *deadletter.Letter) { l.Record.Key = []byte("acme/2") })
	before, later := time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	for name, test := range map[string]struct {
		filter deadletter.Filter
		want   []string
	}{
		"none":      {deadletter.Filter{}, []string{"0/0 x0", "0/1 x0", "0/2 x0", "1/0 x0"}},
		"store":     {deadletter.Filter{Store: "beta"}, []string{"0/1 x0"}},
		"reason":    {deadletter.Filter{Reason: "malformed"}, []string{"0/2 x0"}},
		"key":       {deadletter.Filter{Key: "acme/2"}, []string{"1/0 x0"}},
		"since":     {deadletter.Filter{Since: before, Until: later}, []string{"0/0 x0", "0/1 x0", "0/2 x0", "1/0 x0"}},
		"later":     {deadletter.Filter{Since: later}, []string{}},
		"until":     {deadletter.Filter{Until: before}, []string{}},
		"positions": {deadletter.Filter{Positions: map[deadletter.Position]bool{{Partition: 0, Offset: 2}: true, {Partition: 1, Offset: 7}: true}}, []string{"0/2 x0"}},
		"several":   {deadletter.Filter{Store: "acme", Reason: "refused", Key: "acme/1"}, []string{"0/0 x0"}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, o.found(test.filter)) })
	}
	_, err := deadletter.Replay{Cluster: o.cluster}.Count(t.Context(), deadletter.Topics{Letters: "absent", Redrive: o.topics.Redrive}, deadletter.Filter{}, nil)
	require.ErrorContains(t, err, "absent")
}

// Letters that were sent are skipped the next time, unless Again is set; the search counts how often.
func TestReplaySkipsLettersSentBefore(t *testing.T) {
	o := newOffice(t)
	for range 2 {
		o.lay(0, nil)
		o.lay(1, nil)
	}
	sent, err := o.run(t.Context(), deadletter.Replay{}, deadletter.Filter{Positions: map[deadletter.Position]bool{{Partition: 1, Offset: 1}: true}}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"1/1"}, sent)
	sent, err = o.run(t.Context(), deadletter.Replay{}, deadletter.Filter{}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"0/0", "0/1", "1/0"}, sent)
	sent, err = o.run(t.Context(), deadletter.Replay{}, deadletter.Filter{}, nil)
	require.NoError(t, err)
	assert.Empty(t, sent)
	sent, err = o.run(t.Context(), deadletter.Replay{Again: true}, deadletter.Filter{Key: "acme/1", Since: time.Now().Add(-time.Hour)}, nil)
	require.NoError(t, err)
	assert.Len(t, sent, 4)
	assert.Equal(t, []string{"0/0 x2", "0/1 x2", "1/0 x2", "1/1 x2"}, o.found(deadletter.Filter{}))

	redriven := kafkatest.All(t, o.cluster.Brokers[0], o.topics.Redrive)
	require.Len(t, redriven, 8)
	for _, r := range redriven {
		of, ok := deadletter.RedriveOf(r)
		require.True(t, ok)
		assert.Equal(t, of.Partition, r.Partition)
		assert.EqualValues(t, 40, deadletter.Read(r).Record.Offset)
		assert.WithinDuration(t, time.Now(), r.Time, time.Minute, "retention counts from when it was sent")
	}
}

// A stopped replay continues where it stopped; the letter in hand is sent and counted.
func TestReplayStops(t *testing.T) {
	o := newOffice(t)
	for range 5 {
		o.lay(0, nil)
	}
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	sent, err := o.run(ctx, deadletter.Replay{}, deadletter.Filter{}, func() {
		if n++; n == 2 {
			stop()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"0/0", "0/1"}, sent)
	sent, err = o.run(t.Context(), deadletter.Replay{}, deadletter.Filter{}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"0/2", "0/3", "0/4"}, sent)
}

// down fails from its third record on.
type down struct {
	*kafka.Producer
	left int
}

var errDown = errors.New("not enough replicas")

func (d *down) Produce(ctx context.Context, records ...kafka.Record) error {
	if d.left--; d.left < 0 {
		return errDown
	}
	return d.Producer.Produce(ctx, records...)
}

func TestReplayFails(t *testing.T) {
	o := newOffice(t)
	for range 4 {
		o.lay(1, nil)
	}
	sent, err := o.run(t.Context(), deadletter.Replay{Producer: &down{o.producer, 2}}, deadletter.Filter{}, nil)
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "send letter 1/2")
	assert.Equal(t, []string{"1/0", "1/1"}, sent)
}

// Letters that another operator sent since the count are not sent twice, and letters written since are not sent.
func TestReplaySendsCountedLetters(t *testing.T) {
	o := newOffice(t)
	o.lay(0, nil)
	o.lay(0, nil)
	r := deadletter.Replay{Cluster: o.cluster, Producer: o.producer, Rate: 1e4}
	counted, err := r.Count(t.Context(), o.topics, deadletter.Filter{}, nil)
	require.NoError(t, err)
	_, err = o.run(t.Context(), deadletter.Replay{}, deadletter.Filter{Positions: map[deadletter.Position]bool{{Offset: 0}: true}}, nil)
	require.NoError(t, err)
	o.lay(0, nil)
	var sent []string
	require.NoError(t, r.Run(t.Context(), o.topics, deadletter.Filter{}, counted, func(f deadletter.Found) { sent = append(sent, f.Position.String()) }))
	assert.Equal(t, []string{"0/1"}, sent)
	assert.Equal(t, []string{"0/0 x1", "0/1 x1", "0/2 x0"}, o.found(deadletter.Filter{}))
}

// Ten letters at fifty per second take at least the nine pauses between them.
func TestReplayLimitsItsRate(t *testing.T) {
	o := newOffice(t)
	for range 10 {
		o.lay(0, nil)
	}
	r := deadletter.Replay{Cluster: o.cluster, Producer: o.producer, Rate: 50}
	counted, err := r.Count(t.Context(), o.topics, deadletter.Filter{}, nil)
	require.NoError(t, err)
	var times []time.Time
	require.NoError(t, r.Run(t.Context(), o.topics, deadletter.Filter{}, counted, func(deadletter.Found) { times = append(times, time.Now()) }))
	require.Len(t, times, 10)
	assert.GreaterOrEqual(t, times[9].Sub(times[0]), 140*time.Millisecond, "180 ms, less what one slow answer makes up for")
}
