package timeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// shop is a broker with all topics, and what writes to them.
type shop struct {
	*testing.T

	topics   topology.Topics
	source   timeline.Source
	producer *kafka.Producer
}

func newShop(t *testing.T) shop {
	t.Helper()
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: "staging.", SingleBroker: true, Partitions: 4})
	require.NoError(t, err)
	broker, err := embedded.Start(embedded.Config{Topics: spec}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	s := shop{T: t, topics: topology.Topics{Prefix: "staging."}}
	s.source = timeline.Source{Cluster: kafka.Cluster{Brokers: broker.Brokers()}, Topics: s.topics}
	s.producer = kafka.NewProducer(s.source.Cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, s.producer.Close()) })
	return s
}

// write writes a record by its key, or to a partition, with headers that are given as pairs.
func (s shop) write(topic string, partition int, key string, at time.Time, value string, headers ...string) {
	s.Helper()
	r := kafka.Record{Topic: topic, Partition: partition, Key: []byte(key), Value: []byte(value), Time: at}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, envelope.Header(headers[i], headers[i+1]))
	}
	require.NoError(s, s.producer.Produce(s.Context(), r))
}

// partition is that of customer 42.
func (s shop) partition() int { return kafka.PartitionCount{}.Of([]byte("acme/42"), 4) }

func (s shop) read(since time.Time) timeline.Records {
	s.Helper()
	found, err := s.source.Read(s.Context(), timeline.Customer{Store: "acme", ID: "42"}, since)
	require.NoError(s, err)
	return found
}

// lines are the topics and keys of records.
func lines(found timeline.Records) (all []string) {
	for _, r := range found.Found {
		all = append(all, fmt.Sprintf("%s %s %d", r.Topic, r.Key, r.Offset))
	}
	return all
}

// The customer's records are read of their partition of each topic, whoever else has records in it; and the dead letters of webhooks
// that name only one of their resources, of all partitions.
func TestRead(t *testing.T) {
	s := newShop(t)
	now := time.Now()
	for i := range 30 {
		s.write(s.topics.Webhooks(), kafka.ByKey, "acme/42", now.Add(time.Duration(i-30)*time.Hour), "{}")
		s.write(s.topics.Webhooks(), s.partition(), fmt.Sprintf("acme/42%d", i), now, "{}") // of others
		s.write(s.topics.Webhooks(), s.partition(), fmt.Sprintf("beta/42/%d", i), now, "{}")
	}
	s.write(s.topics.Events(), s.partition(), "acme/42", now, "{}", envelope.HeaderRawTopic, s.topics.Webhooks(), envelope.HeaderRawPartition, fmt.Sprint(s.partition()), envelope.HeaderRawOffset, "84")
	s.write(s.topics.Events(), (s.partition()+1)%4, "acme/42", now, "{}")
	s.write(s.topics.Subscriptions(), s.partition(), "acme/42/5", now.AddDate(-1, 0, 0), "{}")
	s.write(s.topics.DeadLetters(topology.RoleTransformer), (s.partition()+1)%4, "acme/subscription/5", now, "{}")
	s.write(s.topics.DeadLetters(topology.RoleTransformer), (s.partition()+1)%4, "acme/subscription/6", now, "{}")
	ref := customerstate.Ref{Store: "acme", CustomerID: "42"}
	s.write(s.topics.State(), s.partition(), string(customerstate.ParkedKey(ref, s.partition(), 87)), now, "{}")
	s.write(s.topics.State(), s.partition(), string(customerstate.ParkedKey(ref, s.partition(), 3)), now, "{}")

	found := s.read(time.Time{})
	assert.Equal(t, s.partition(), found.Partition)
	assert.Equal(t, 4, found.Partitions)
	assert.Len(t, found.Found, 30+1+1+1+1)
	assert.Equal(t, int64(admin.NeverCommitted), found.Committed["staging.rechargeflow.tracking.acme"][s.topics.Events()])
	assert.Contains(t, found.Committed, "staging.rechargeflow.transformer")

	since := s.read(now.Add(-90 * time.Minute))
	assert.Equal(t, []string{
		"staging.recharge.events acme/42 0", "staging.recharge.subscriptions acme/42/5 0", "staging.recharge.webhooks acme/42 87",
		"staging.recharge.deadletter.transformer acme/subscription/5 0", "staging.recharge.state " + string(customerstate.ParkedKey(ref, s.partition(), 87)) + " 0",
	}, lines(since))
}

// A long partition is read in parts. Each record is found once, in order.
func TestReadInParts(t *testing.T) {
	s := newShop(t)
	var records []kafka.Record
	var want []string
	for i := range 21_000 {
		key := fmt.Sprintf("acme/%d", 1000+i)
		if i%500 == 0 || i%500 == 499 {
			key = "acme/42"
			want = append(want, fmt.Sprintf("staging.recharge.webhooks acme/42 %d", i))
		}
		records = append(records, kafka.Record{Topic: s.topics.Webhooks(), Partition: s.partition(), Key: []byte(key), Value: []byte("{}")})
	}
	require.NoError(t, s.producer.Produce(t.Context(), records...))
	assert.Equal(t, want, lines(s.read(time.Time{})))
}

func TestReadNobody(t *testing.T) {
	s := newShop(t)
	_, err := s.source.Read(t.Context(), timeline.Customer{Store: "acme", ID: "42"}, time.Time{})
	require.ErrorIs(t, err, timeline.ErrNoCustomer)
	s.source.Topics.Prefix = "other."
	_, err = s.source.Read(t.Context(), timeline.Customer{Store: "acme", ID: "42"}, time.Time{})
	require.ErrorContains(t, err, "other.recharge.webhooks")
}

// An e-mail is that of the customer whose row has it now, else of those whose events were sent for it.
func TestResolve(t *testing.T) {
	s := newShop(t)
	row := func(key, value string) { s.write(s.topics.Customers(), kafka.ByKey, key, time.Now(), value) }
	row("acme/1", `{"email":"jo@example.com"}`)
	row("acme/2", `{"email":"jo.bean@example.com"}`)
	row("acme/2", `{"email":"jo@example.com"}`)
	row("acme/3", `{"email":"moved@example.com"}`)
	row("acme/3", `{"email":"new@example.com"}`)
	row("acme/4", `{"first_name":"jo@example.com"}`)
	row("beta/1", `{"email":"jo@example.com"}`)
	row("beta/2", `{"email":"gone@example.com"}`)
	require.NoError(t, s.producer.Produce(t.Context(), kafka.Record{Topic: s.topics.Customers(), Partition: kafka.ByKey, Key: []byte("beta/2")}))
	s.write(s.topics.Events(), kafka.ByKey, "acme/3", time.Now(), `{"email":"moved@example.com"}`)
	s.write(s.topics.Events(), kafka.ByKey, "acme/9", time.Now(), `{"email":"jo@example.com"}`)
	for _, c := range []struct {
		email, store string
		want         []timeline.Customer
	}{
		{"jo@example.com", "", []timeline.Customer{{Store: "acme", ID: "1"}, {Store: "acme", ID: "2"}, {Store: "beta", ID: "1"}}},
		{" Jo@Example.com ", "beta", []timeline.Customer{{Store: "beta", ID: "1"}}},
		{"moved@example.com", "", []timeline.Customer{{Store: "acme", ID: "3"}}},
		{"new@example.com", "beta", nil},
		{"gone@example.com", "", nil},
	} {
		found, err := s.source.Resolve(t.Context(), c.email, c.store)
		require.NoError(t, err)
		assert.Equal(t, c.want, found, "%+v", c)
	}
}
