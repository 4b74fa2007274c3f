package repair_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/repair"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing fails at a record, before or after it is written.
type failing struct {
	repair.Producer

	at, calls int
	written   bool
}

func (f *failing) Produce(ctx context.Context, records ...kafka.Record) error {
	if f.calls++; f.calls != f.at {
		return f.Producer.Produce(ctx, records...)
	}
	if f.written {
		_ = f.Producer.Produce(ctx, records...)
	}
	return errors.New("no answer")
}

// broken returns a repair of n webhooks of n customers.
func broken(t *testing.T, n int) (repair.Repair, *kafka.Producer) {
	t.Helper()
	broker := kafkatest.Embedded(t)
	topic := kafkatest.Topic(t, broker.Addr(), 4)
	producer := kafka.NewProducer(broker.Cluster(), kafka.ProducerConfig{})
	t.Cleanup(func() { assert.NoError(t, producer.Close()) })
	for i := range n {
		body := fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":%d}}`, i+1, i+1)
		webhook := admission.Webhook{Store: "acme", Topic: "subscription/creatd", Key: fmt.Sprintf("acme/%d", i+1), Body: body}
		require.NoError(t, producer.Produce(t.Context(), webhook.Record(topic, http.Header{}, time.Now())))
	}
	return repair.Repair{
		Cluster: broker.Cluster(), Producer: producer, Topic: topic, From: "subscription/creatd", To: "subscription/created", Rate: 1e6, Now: time.Now,
	}, producer
}

// A run that fails, whether or not its last webhook was written, is continued by the next: each is sent once.
func TestRepairContinuesAfterAnError(t *testing.T) {
	for _, written := range []bool{false, true} {
		t.Run(fmt.Sprint("written: ", written), func(t *testing.T) {
			r, producer := broken(t, 20)
			r.Producer = &failing{Producer: producer, at: 8, written: written}
			first, err := r.Count(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 20, first.Total())
			sent := 0
			require.ErrorContains(t, r.Run(t.Context(), first, func() { sent++ }), "no answer")
			assert.Equal(t, 7, sent)

			second, err := r.Count(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 20, second.Total()+second.Sent)
			require.NoError(t, r.Run(t.Context(), second, func() { sent++ }))
			customers := map[string]int{}
			for raw, err := range kafka.Scan(t.Context(), r.Cluster, r.Topic, time.Time{}) {
				require.NoError(t, err)
				if raw.Header(envelope.HeaderSource) == envelope.SourceOperator {
					customers[string(raw.Key)]++
				}
			}
			require.Len(t, customers, 20)
			for customer, times := range customers {
				assert.Equal(t, 1, times, customer)
			}
		})
	}
}

func TestRepairStops(t *testing.T) {
	r, _ := broken(t, 3)
	count, err := r.Count(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	err = r.Run(ctx, count, cancel)
	require.ErrorIs(t, err, context.Canceled)
	count, err = r.Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, count.Sent)
	assert.Equal(t, 2, count.Total())
}

func TestRepairSince(t *testing.T) {
	r, _ := broken(t, 3)
	r.Since = time.Now().Add(time.Hour)
	count, err := r.Count(t.Context())
	require.NoError(t, err)
	assert.Zero(t, count.Total())
}
