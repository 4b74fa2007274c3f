package pipeline_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// ofOwner is a webhook of subscription 5, changed some minutes after ten, with its customer, who counts no or one subscription.
func ofOwner(topic, customer string, minute, count int) delivery {
	return delivery{topic: topic, body: fmt.Sprintf(`{"subscription":{"id":5,"customer_id":%[1]s,"address_id":1,"status":"active",`+
		`"created_at":%[2]q,"updated_at":%[3]q},"customer":{"id":%[1]s,"email":"c%[1]s@shop.test","subscriptions_active_count":%[4]d,"updated_at":%[3]q}}`,
		customer, at(0), at(minute), count)}
}

// internal are the owner and moved records: their keys and values.
func (w *world) internal() (all []string) {
	for _, r := range w.topics.since("recharge.webhooks", 0) {
		if source := r.Header(envelope.HeaderSource); source == envelope.SourceOwner || source == envelope.SourceMoved {
			require.NoError(w.t, w.schemas.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
			all = append(all, fmt.Sprintf("%s %s %s", r.Key, source, r.Value))
		}
	}
	return all
}

// properties are the values that were emitted for each customer.
func (w *world) properties() map[string][]string {
	values := map[string][]string{}
	for _, r := range w.eventsOf("rechargeflow.customer_property") {
		values[string(r.Key)] = append(values[string(r.Key)], fmt.Sprint(strings.Contains(string(r.Value), `"value":true`)))
	}
	return values
}

// The records of a move, and one outcome of each.
func TestSubscriptionMoves(t *testing.T) {
	w := transforming(t)
	w.deliver(ofOwner("subscription/created", "7", 0, 1), "7")
	w.deliver(ofOwner("subscription/updated", "8", 1, 1), "8")
	w.deliver(ofOwner("subscription/updated", "8", 2, 1), "8")
	assert.Equal(t, []string{
		`acme/subscription/5 owner {"store":"acme","subscription_id":"5","customer_id":"7","at":"2026-03-01T10:00:00Z"}`,
		`acme/subscription/5 owner {"store":"acme","subscription_id":"5","customer_id":"8","at":"2026-03-01T10:01:00Z"}`,
		`acme/7 moved {"store":"acme","subscription_id":"5","customer_id":"7","to":"8","at":"2026-03-01T10:01:00Z","received_at":"2026-03-01T10:00:05Z"}`,
	}, w.internal())
	assert.Equal(t, map[string][]string{"acme/7": {"true", "false"}, "acme/8": {"true"}}, w.properties())
	assert.Equal(t, []string{
		"transformer done", "transformer skipped owner_applied", "transformer done", "transformer done", "transformer done", "transformer skipped no_fact",
	}, w.outcomes.all())
	assert.Equal(t, []string{"owner/acme/5"}, w.state.Of("owner/"))
	assert.Equal(t, w.state.Rows, w.changelog())
}

// The key of these records selects their partition, unlike that of other outputs.
func TestInternalRecordsGoToAnotherPartition(t *testing.T) {
	w := transforming(t)
	r := w.raw("subscription/created", ofOwner("subscription/created", "7", 0, 1).body)
	r.Partition, r.Offset, r.Key = 3, 17, []byte("acme/7")
	out, err := w.stages[0].Transform(t.Context(), []kafka.Record{r})
	require.NoError(t, err)
	partitions := map[string]int{}
	for _, o := range out.Outputs {
		partitions[o.Topic] = o.Partition
		if o.Topic == "recharge.webhooks" {
			assert.Equal(t, "2026-03-01T10:00:05Z", o.Header(envelope.HeaderReceivedAt), "of the webhook")
			assert.Equal(t, traceparent, o.Header(envelope.HeaderTraceparent))
			assert.Equal(t, store, o.Header(envelope.HeaderStore))
		}
	}
	assert.Equal(t, kafka.ByKey, partitions["recharge.webhooks"])
	assert.Equal(t, 3, partitions["recharge.events"])
}

// A moved record of a customer with parked records is parked behind them.
func TestMovedRecordIsParked(t *testing.T) {
	w := transforming(t)
	w.hasAPI = false
	w.deliver(ofOwner("subscription/created", "7", 0, 1), "7")
	w.state.Rows["parked/acme/7/0/00000000000000000099"] = []byte(`{"partition":0,"offset":99}`)
	w.deliver(ofOwner("subscription/updated", "8", 1, 1), "8")
	assert.Equal(t, 1, w.outcomes.count("transformer parked lookup_pending"))
	assert.Len(t, w.state.Of("parked/acme/7/"), 2)
	assert.Equal(t, []string{"true"}, w.properties()["acme/7"])
	delete(w.state.Rows, "parked/acme/7/0/00000000000000000099")

	answer := rawAt(59, "", strings.ReplaceAll(customerAnswer, `"subscriptions_active_count":0,`, ""), envelope.SourceLookup)
	answer.Headers = append(answer.Headers, header(envelope.HeaderTraceparent, traceparent))
	w.produce(answer)
	w.handleAll()
	assert.Empty(t, w.state.Of("parked/"))
	assert.Equal(t, "false", w.properties()["acme/7"][len(w.properties()["acme/7"])-1])
}

// Records that are not as the transformer writes them are dead letters, and change nothing.
func TestBadInternalRecords(t *testing.T) {
	for name, r := range map[string]struct{ source, value string }{
		"no JSON":                {envelope.SourceOwner, "jo@example.com"},
		"no store":               {envelope.SourceOwner, `{"subscription_id":"5","customer_id":"8","at":"2026-03-01T10:00:00Z"}`},
		"no customer":            {envelope.SourceOwner, `{"store":"acme","subscription_id":"5","at":"2026-03-01T10:00:00Z"}`},
		"no subscription":        {envelope.SourceOwner, `{"store":"acme","customer_id":"8","at":"2026-03-01T10:00:00Z"}`},
		"no time":                {envelope.SourceOwner, `{"store":"acme","subscription_id":"5","customer_id":"8"}`},
		"a time that is none":    {envelope.SourceOwner, `{"store":"acme","subscription_id":"5","customer_id":"8","at":"jo@example.com"}`},
		"moved, no JSON":         {envelope.SourceMoved, `7`},
		"moved, no store":        {envelope.SourceMoved, `{"subscription_id":"5","customer_id":"7","to":"8","at":"2026-03-01T10:00:00Z","received_at":"2026-03-01T10:00:01Z"}`},
		"moved, no customer":     {envelope.SourceMoved, `{"store":"acme","subscription_id":"5","to":"8","at":"2026-03-01T10:00:00Z","received_at":"2026-03-01T10:00:01Z"}`},
		"moved, no new owner":    {envelope.SourceMoved, `{"store":"acme","subscription_id":"5","customer_id":"7","at":"2026-03-01T10:00:00Z","received_at":"2026-03-01T10:00:01Z"}`},
		"moved, no time":         {envelope.SourceMoved, `{"store":"acme","subscription_id":"5","customer_id":"7","to":"8","received_at":"2026-03-01T10:00:01Z"}`},
		"moved, no receipt":      {envelope.SourceMoved, `{"store":"acme","subscription_id":"5","customer_id":"7","to":"8","at":"2026-03-01T10:00:00Z"}`},
		"moved, no subscription": {envelope.SourceMoved, `{"store":"acme","customer_id":"7","to":"8","at":"2026-03-01T10:00:00Z","received_at":"2026-03-01T10:00:01Z"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := transforming(t)
			w.deliver(ofOwner("subscription/created", "7", 0, 1), "7")
			rows := maps.Clone(w.state.Rows)
			bad := rawAt(30, "", r.value, r.source)
			w.produce(bad)
			w.handleAll()
			assert.Equal(t, 1, w.outcomes.count("transformer rejected malformed"), "%v", w.outcomes.all())
			assert.Equal(t, rows, w.state.Rows)
			assert.NotContains(t, w.dead(topology.RoleTransformer)[0].Header("deadletter_error"), "example")
		})
	}
}

// moving generates webhooks of subscription 5 that moves among customers, in any order and with repetitions, and names the last.
func moving() *rapid.Generator[[]delivery] {
	return rapid.Custom(func(t *rapid.T) []delivery {
		var all []delivery
		for i, customer := range rapid.SliceOfN(rapid.SampledFrom([]string{"7", "8", "9"}), 2, 5).Draw(t, "customers") {
			all = append(all, ofOwner("subscription/updated", customer, i, 1))
		}
		return all
	})
}

// In any order of arrival the rows and the last values of the property are the same, and nothing moves on without an end.
func TestMovesInAnyOrderEndTheSame(t *testing.T) {
	for seed := range 10 {
		webhooks := moving().Example(seed)
		again := append(slices.Clone(webhooks), webhooks[0], webhooks[len(webhooks)-1])
		w, other := transforming(t), transforming(t)
		w.deliverMoves(webhooks)
		other.deliverMoves(rapid.Permutation(again).Example(seed))
		require.Equal(t, w.endOfMoves(), other.endOfMoves())
		require.Less(t, len(other.internal()), 40)
	}
}

func (w *world) deliverMoves(webhooks []delivery) {
	for _, d := range webhooks {
		w.later(time.Second)
		w.deliver(d, customerOf(d))
	}
}

func customerOf(d delivery) string {
	_, rest, _ := strings.Cut(d.body, `"customer_id":`)
	id, _, _ := strings.Cut(rest, ",")
	return id
}

// endOfMoves is whose subscription it is according to the tables and the last values of the property.
func (w *world) endOfMoves() string {
	rows := map[string]bool{}
	for _, r := range w.topics.since("recharge.subscriptions", 0) {
		rows[string(r.Key)] = r.Value != nil
	}
	last := map[string]string{}
	for customer, values := range w.properties() {
		last[customer] = values[len(values)-1]
	}
	return fmt.Sprint(rows, last)
}

// Reading the raw topic again with an empty state gives the same state and the same outputs. The owner and moved records
// that this would write are those that are there already; if they are written again, they change nothing.
func TestMovesReadAgain(t *testing.T) {
	for seed := range 10 {
		first, second := transforming(t), transforming(t)
		first.deliverMoves(rapid.Permutation(moving().Example(seed)).Example(seed))
		raw := first.topics.since("recharge.webhooks", 0)
		second.produce(raw...)
		_, err := second.handle(second.stages[0], second.topics.since("recharge.webhooks", 0))
		require.NoError(t, err)
		requireSame := func() {
			require.Equal(t, first.state.Rows, second.state.Rows)
			for _, topic := range []string{"recharge.events", "recharge.customers", "recharge.subscriptions"} {
				require.Equal(t, lines(first.topics.since(topic, 0)), lines(second.topics.since(topic, 0)))
			}
		}
		requireSame()
		written := first.internal()
		require.Equal(t, slices.Concat(written, written), second.internal())

		second.read[second.stages[0].Group+" recharge.webhooks"] = len(raw)
		second.handleAll()
		requireSame()
		require.LessOrEqual(t, len(second.internal()), 4*len(written))
	}
}

// The owner of a subscription expires with the records that may need it.
func TestOwnerExpires(t *testing.T) {
	w := transforming(t)
	w.deliver(ofOwner("subscription/created", "7", 0, 1), "7")
	w.later(849 * day)
	w.expire()
	assert.Len(t, w.state.Of("owner/"), 1)
	w.later(2 * day)
	w.expire()
	assert.Empty(t, w.state.Of("owner/"))
	assert.NotEmpty(t, w.state.Of("customer/"))
}
