//go:build bench

package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// stateFill writes the rows that the transformer would have written after the first webhooks of each customer. Every other customer
// has a second subscription.
type stateFill struct {
	topic    string
	producer *kafka.Producer
	decoder  *recharge.Decoder
	at       time.Time
}

func fillState(t *testing.T, cluster kafka.Cluster) (topic string) {
	t.Helper()
	topic = lab.RandomPrefix("bench") + "state"
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{
		Name: topic, Partitions: statePartitions, Replication: 1,
		Configs: map[string]string{"cleanup.policy": "compact", "segment.bytes": "67108864"},
	}}})
	require.NoError(t, err)
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	fill := stateFill{topic: topic, producer: snappyProducer(t, cluster), decoder: decoder, at: time.Now().UTC()}
	var partitions errgroup.Group
	for number := range statePartitions {
		partitions.Go(func() error {
			const each = 300 // customers in a transaction
			for first := number; first < stateCustomers; first += each * statePartitions {
				rows, err := fill.transaction(number, first, min(first+each*statePartitions, stateCustomers))
				if err != nil {
					return err
				}
				if err := fill.producer.Produce(t.Context(), rows...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, partitions.Wait())
	require.NoError(t, fill.producer.Close())
	return topic
}

// transaction returns the rows of a partition's customers from one id up to another.
func (f stateFill) transaction(number, first, end int) ([]kafka.Record, error) {
	tx := customerstatetest.Store(&customerstatetest.Memory{}).Begin(number)
	for id := first; id < end; id += statePartitions {
		if err := f.save(tx, id); err != nil {
			return nil, fmt.Errorf("save customer %d: %w", id, err)
		}
	}
	rows, err := tx.Outputs()
	for i := range rows {
		rows[i].Topic = f.topic
	}
	return rows, err
}

// save decides on a customer's first webhooks and saves the state. Names, phones and hashes differ, as those of people do.
func (f stateFill) save(tx *customerstate.Tx, id int) error {
	w, err := f.decoder.Decode(webhookTopic, webhookBody(id, f.at), f.at)
	if err != nil {
		return err
	}
	random := uint64(id+1) * 6364136223846793005
	w.Customer.LastName, w.Customer.Phone = fmt.Sprintf("Bean-%x", random>>40), fmt.Sprintf("+1503%07d", random>>20%10_000_000)
	w.Customer.Hash, w.Customer.PlatformID = fmt.Sprintf("%016x", random), fmt.Sprint(random>>24)
	st := &subscriber.State{}
	for n := range 1 + id%2 {
		s := *w.Subscription
		s.ID = fmt.Sprint((n+1)*stateCustomers + id)
		w.Subscription = &s
		var decision subscriber.Decision
		if decision, st, err = subscriber.Decide(transformedStore(), st, w, f.at); err != nil {
			return err
		}
		for _, owner := range decision.Owners {
			if _, err := tx.ApplyOwner(owner, f.at); err != nil {
				return err
			}
		}
	}
	return tx.Save(customerstate.Ref{Store: lab.Store, CustomerID: w.CustomerID()}, &subscriber.State{}, st)
}
