package texts_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// topics are the topics of a test, and the values that were written to them.
type topics struct {
	topology.Topics
	*testing.T

	cluster  kafka.Cluster
	producer *kafka.Producer
	pending  []kafka.Record
	// values by topic without prefix
	messages, events, customers, optOuts [][]byte
}

func newTopics(t *testing.T) *topics {
	t.Helper()
	b := kafkatest.Embedded(t)
	out := &topics{T: t, Topics: topology.Topics{Prefix: kafkatest.Topic(t, b.Addr(), 1) + "."}, cluster: b.Cluster(), producer: kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{})}
	t.Cleanup(func() { require.NoError(t, out.producer.Close()) })
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: out.Prefix, SingleBroker: true, Partitions: 6})
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), b.Cluster(), spec)
	require.NoError(t, err)
	return out
}

// simulated returns the topics of a store's customers, and of some of another store.
func simulated(t *testing.T, seed uint64, customers int) *topics {
	t.Helper()
	out, rng := newTopics(t), rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a simulation
	for i := range customers {
		l := &life{t: t, rng: rng, store: "acme", id: strconv.Itoa(1000 + i), now: began(), out: out}
		if i%10 == 0 {
			l.store = "beta"
		}
		out.customer(l.store, l.id, i%13 == 0, i%17 == 0)
		l.run()
	}
	require.NoError(t, out.producer.Produce(t.Context(), out.pending...))
	return out
}

// write writes a value, and returns it.
func (o *topics) write(topic, key string, value any) []byte {
	encoded, err := json.Marshal(value)
	require.NoError(o, err)
	o.pending = append(o.pending, kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(key), Value: encoded})
	return encoded
}

// customer writes the row of a customer, also one without data for who was erased, and none for who was deleted.
func (o *topics) customer(store, id string, erased, deleted bool) {
	row := subscriber.CustomerRow{Store: store, RechargeCustomerID: id, Email: id + "@example.com", Phone: phoneOf(id)}
	o.write(o.Customers(), store+"/"+id, row)
	if erased {
		row.Email, row.Phone = "", ""
		o.write(o.Customers(), store+"/"+id, row)
	}
	if deleted {
		o.pending = append(o.pending, kafka.Record{Topic: o.Customers(), Partition: kafka.ByKey, Key: []byte(store + "/" + id)})
		return
	}
	encoded, err := json.Marshal(row)
	require.NoError(o, err)
	o.customers = append(o.customers, encoded)
}

func phoneOf(id string) string { return fmt.Sprintf("+1415555%s", id) }

func (o *topics) changed(c message.Change) {
	o.messages = append(o.messages, o.write(o.Messages(), c.Store+"/"+c.RechargeCustomerID, c))
}

func (o *topics) happened(e subscriber.Event) {
	o.events = append(o.events, o.write(o.Events(), e.Store+"/"+e.RechargeCustomerID, e))
}

func (o *topics) optOut(store, id string, at time.Time) {
	change, err := consent.New(consent.Change{Store: store, Number: phoneOf(id), Status: consent.OptedOut, At: at, By: consent.ByKeyword})
	require.NoError(o, err)
	o.optOuts = append(o.optOuts, o.write(o.Consent(), change.Key(), change))
}
