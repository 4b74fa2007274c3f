package pipeline_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const day = 24 * time.Hour

// transforming is a world in which only the transformer runs.
func transforming(t testing.TB) *world {
	w := newWorld(t, storeConfig{})
	w.stages, w.state.Rows = []*stage.Stage{w.stage(topology.RoleTransformer)}, map[string][]byte{}
	return w
}

// expire does a whole pass of expiry, some time after the last record, and returns the number of removed rows.
func (w *world) expire() (removed int) {
	w.later(time.Hour)
	for range 3 {
		removed += w.expireStep(nil)
	}
	return removed
}

func (w *world) expireStep(failed error) (removed int) {
	out, err := w.stages[0].Punctuate(w.t.Context(), 0)
	require.NoError(w.t, err)
	if len(out.Outputs) == 0 {
		return 0
	}
	for _, r := range out.Outputs {
		require.Equal(w.t, "recharge.state", r.Topic)
		require.Less(w.t, len(r.Value), max(1, len(w.state.Rows[string(r.Key)])), "a tombstone, or less than before")
	}
	if failed == nil {
		require.NoError(w.t, w.topics.Produce(w.t.Context(), out.Outputs...))
	}
	out.OnEnd(failed)
	return len(out.Outputs)
}

// rowsOf are the keys of a customer's rows.
func (w *world) rowsOf(customer string) []string {
	var keys []string
	for key := range w.state.Rows {
		_, of, _ := strings.Cut(key, "/")
		if strings.HasPrefix(of+"/", "acme/"+customer+"/") && !strings.HasPrefix(key, "owner/") || strings.HasPrefix(key, "charge-owner/") { // which has a subscription in its key
			keys = append(keys, key)
		}
	}
	return slices.Sorted(slices.Values(keys))
}

// changelog is what the state's topic comes to.
func (w *world) changelog() map[string][]byte {
	rows := map[string][]byte{}
	for _, r := range w.topics.since("recharge.state", 0) {
		if rows[string(r.Key)] = r.Value; r.Value == nil {
			delete(rows, string(r.Key))
		}
	}
	return rows
}

// deliver writes a webhook of a customer, received now, and runs all stages.
func (w *world) deliver(d delivery, customer string) {
	r := w.raw(d.topic, d.body)
	r.Key = []byte("acme/" + customer)
	w.produce(r)
	w.handleAll()
}

func deletionOf(customer string) delivery {
	return delivery{topic: "customer/deleted", body: `{"customer":{"id":` + customer + `}}`}
}

func createdOf(customer, subscription string) delivery {
	return delivery{topic: "subscription/created", body: fmt.Sprintf(`{"subscription":{"id":%s,"customer_id":%s,"address_id":5,"status":"active",`+
		`"created_at":%q,"updated_at":%q},"customer":{"id":%s,"email":"c%s@shop.test"}}`, subscription, customer, at(0), at(0), customer, customer)}
}

// A deletion marker expires after 100 days, by the time of receipt of records, and emitted facts after 14 months. The rows are
// removed when no record that may still arrive could need them.
func TestExpiredRowsAreRemoved(t *testing.T) {
	w := transforming(t)
	for _, customer := range []string{"7", "71"} {
		w.deliver(createdOf(customer, customer+"1"), customer)
	}
	w.deliver(deletionOf("7"), "7")
	late := delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 0)}

	w.later(99 * day)
	of7, of71 := w.rowsOf("7"), w.rowsOf("71")
	assert.Equal(t, []string{"customer/acme/7"}, of7)
	assert.Equal(t, []string{"customer/acme/71"}, of71)
	w.deliver(late, "7")
	assert.Equal(t, 1, w.outcomes.count("transformer rejected customer_unknown"))
	assert.Empty(t, w.lookups.pending)

	w.later(425 * day)
	assert.Zero(t, w.expire())
	w.later(day)
	assert.Equal(t, 1, w.expire())
	assert.Regexp(t, `^\x01{"emitted":{"2026-03":"[^"]*"}}$`, string(w.state.Rows["customer/acme/7"]), "the facts are left")

	w.later(351 * day) // 876 in all
	assert.Equal(t, 2, w.expire(), "the owners of both subscriptions")
	w.later(10 * day)
	assert.Equal(t, 2, w.expire())
	assert.Empty(t, w.rowsOf("7"))
	assert.Equal(t, of71, w.rowsOf("71"))
	assert.Regexp(t, `^\x01{"customer":{.*},"subscriptions":{"711":{.*}}}$`, string(w.state.Rows["customer/acme/71"]), "without facts")
	assert.Equal(t, w.state.Rows, w.changelog())
}

// After the deletion marker expired the customer is treated as new, but facts emitted before are duplicates.
func TestFactsOutliveTheDeletionMarker(t *testing.T) {
	w := transforming(t)
	w.deliver(createdOf("7", "71"), "7")
	w.deliver(deletionOf("7"), "7")
	w.later(101 * day)
	w.expire()
	emitted := len(w.eventsOf("rechargeflow.subscription"))
	w.deliver(createdOf("7", "71"), "7")
	assert.Contains(t, string(w.state.Rows["customer/acme/7"]), `"email":"c7@shop.test"`)
	assert.Len(t, w.eventsOf("rechargeflow.subscription"), emitted)
	w.later(400 * day)
	w.deliver(createdOf("7", "71"), "7")
	assert.Len(t, w.eventsOf("rechargeflow.subscription"), emitted+1)
}

// eventsOf are the events of a type.
func (w *world) eventsOf(kind string) (events []kafka.Record) {
	for _, r := range w.topics.since("recharge.events", 0) {
		if r.Header(envelope.HeaderCEType) == kind {
			events = append(events, r)
		}
	}
	return events
}

// A rebuild reads webhooks as old as retention allows, with any pauses. Expiry does not remove rows that they need.
func TestExpiryKeepsRowsThatARebuildNeeds(t *testing.T) {
	w := transforming(t)
	then := w.clock()
	w.later(400 * day)
	read := func(received time.Time, d delivery) {
		r := w.raw(d.topic, d.body)
		r.Key = []byte("acme/7")
		r.Headers[2].Value = []byte(received.Format(time.RFC3339Nano))
		w.produce(r)
		w.handleAll()
		w.later(13 * time.Hour)
		require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
		assert.Zero(t, w.expire())
	}
	read(then, createdOf("7", "71"))
	read(then, deletionOf("7"))
	events := len(w.topics.since("recharge.events", 0))
	read(then.Add(99*day), createdOf("7", "71"))
	assert.Equal(t, 1, w.outcomes.count("transformer skipped duplicate"))
	assert.Len(t, w.topics.since("recharge.events", 0), events)
	assert.Contains(t, string(w.state.Rows["customer/acme/7"]), `{"emitted":{"2026-03":`)
	assert.Contains(t, string(w.state.Rows["customer/acme/7"]), `"deleted_at":`)
}

// deletedThenRedriven is a deleted customer, of whom a webhook of day 50 became a dead letter and is redriven on day 110.
func deletedThenRedriven(t *testing.T, meanwhile func(*world)) *world {
	p := &panicky{key: "customer/acme/7", text: "2026-04"}
	w := panicking(t, p)
	w.deliver(createdOf("7", "71"), "7")
	w.deliver(deletionOf("7"), "7")
	w.later(50 * day)
	p.times = 2 // in its batch, and alone
	w.deliver(createdOf("7", "72"), "7")
	p.times = 0
	require.Equal(t, 1, w.outcomes.count("transformer rejected panic"))
	w.later(60 * day)
	meanwhile(w)
	w.redrive(topology.RoleTransformer)
	w.handleAll()
	return w
}

// A redriven webhook is decided on as of its receipt: a customer who was deleted by then is not restored, whether or not expired rows
// were removed.
func TestARedrivenWebhookRestoresNoDeletedCustomer(t *testing.T) {
	left := deletedThenRedriven(t, func(*world) {})
	expired := deletedThenRedriven(t, func(w *world) { w.expire() })
	for _, w := range []*world{left, expired} {
		customers := w.topics.since("recharge.customers", 0)
		assert.Nil(t, customers[len(customers)-1].Value, "a tombstone")
		values := w.eventsOf("rechargeflow.customer_property")
		assert.Contains(t, string(values[len(values)-1].Value), `"value":false`)
		assert.Len(t, w.eventsOf("rechargeflow.subscription"), 2, "the fact is emitted: the body names the customer")
		assert.NotContains(t, string(w.state.Rows["customer/acme/7"]), "shop.test")
	}
	assert.Equal(t, outputs(left), outputs(expired))
	assert.Equal(t, left.state.Rows, expired.state.Rows)
}

// outputs are the transformer's outputs without its state.
func outputs(w *world) map[string][]string {
	all := map[string][]string{}
	for _, topic := range []string{"recharge.events", "recharge.customers", "recharge.subscriptions", "recharge.deadletter.transformer"} {
		all[topic] = lines(w.topics.since(topic, 0))
	}
	return all
}

// A redriven record older than 425 days is rejected; an old record that is not redriven is not.
func TestRedrivenRecordsCanBeTooOld(t *testing.T) {
	w := transforming(t)
	then := w.clock()
	w.deliver(delivery{topic: "subscription/created", body: `{}`}, "7")
	w.later(425 * day)
	w.redrive(topology.RoleTransformer)
	w.handleAll()
	assert.Equal(t, 2, w.outcomes.count("transformer rejected malformed"))

	w.later(time.Second)
	events := len(w.topics.since("recharge.events", 0))
	w.redrive(topology.RoleTransformer)
	w.handleAll()
	assert.Equal(t, 2, w.outcomes.count("transformer rejected too_old"), "both letters")
	assert.Len(t, w.topics.since("recharge.events", 0), events)

	r := w.raw("subscription/created", createdOf("7", "71").body)
	r.Key, r.Headers[2].Value = []byte("acme/7"), []byte(then.Format(time.RFC3339Nano))
	w.produce(r)
	w.handleAll()
	assert.Equal(t, 1, w.outcomes.count("transformer done"), "not redriven: only retention removes those")
}

// No row of a customer with a pending lookup is removed.
func TestExpiryKeepsCustomersWithPendingLookups(t *testing.T) {
	w := transforming(t)
	w.deliver(createdOf("7", "71"), "7")
	w.hasAPI = false
	w.deliver(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	w.deliver(deletionOf("7"), "7")
	require.Contains(t, w.state.Rows, "lookup/acme/7/subscriptions/")
	w.later(526 * day)
	assert.Zero(t, w.expire())
	w.hasAPI = true
	w.handleAll()
	require.NotContains(t, w.state.Rows, "lookup/acme/7/subscriptions/")
	w.later(13 * time.Hour)
	assert.Equal(t, 1, w.expire())
	assert.NotContains(t, string(w.state.Rows["customer/acme/7"]), "deleted_at")
}

// A step of expiry is bounded, and repeated after a failure. The steps cover all rows, and the next pass begins half a day later.
func TestExpiryIsDoneInSteps(t *testing.T) {
	w := transforming(t)
	w.state.Rows = map[string][]byte{}
	const customers = 9000
	for i := range customers {
		w.state.Rows[fmt.Sprintf("emitted/acme/%d/2026-02", i)] = make([]byte, 8)
		if i%5 == 0 {
			w.state.Rows[fmt.Sprintf("emitted/acme/%d/2020-01", i)] = make([]byte, 8)
		}
	}
	w.later(time.Hour)
	removed, steps := 0, 0
	for ; removed < customers/5; steps++ {
		require.Less(t, steps, 100)
		w.expireStep(errors.New("broker away"))
		once := w.expireStep(nil)
		assert.LessOrEqual(t, once, 500)
		removed += once
		w.later(customerstate.ExpireEvery)
	}
	assert.Len(t, w.state.Rows, customers)
	for range 3 {
		assert.Zero(t, w.expireStep(nil))
	}
	w.state.Rows["emitted/acme/1/2020-01"] = make([]byte, 8)
	assert.Zero(t, w.expireStep(nil), "the pass is complete")
	w.later(12 * time.Hour)
	assert.Equal(t, 1, w.expire())
}

// For any records at any times, redriven or not, the removal of expired rows does not change outputs. In the end no row of deleted
// customers is left, and all rows of the others except expired facts and owners.
func TestExpiryDoesNotChangeOutputs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		expired, left := transforming(rapidT{TB: t, rt: rt}), transforming(rapidT{TB: t, rt: rt})
		for id, customer := range apiCustomers() {
			expired.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
			left.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			expired.later(time.Duration(rapid.SampledFrom([]int{0, 60, 3600, 86400, 50 * 86400, 99 * 86400, 101 * 86400, 200 * 86400, 424 * 86400}).Draw(rt, "seconds")) * time.Second)
			for range rapid.IntRange(0, 3).Draw(rt, "expiry steps") {
				expired.expireStep(nil)
			}
			left.set(expired.clock())
			happens := anything(rt, len(expired.dead(topology.RoleTransformer)))
			happens(expired)
			happens(left)
			require.Equal(rt, outputs(left), outputs(expired))
		}
		expired.requireNothingExpired(rt)
	})
}

// anything is a webhook, or a dead letter, or the redrive of an earlier dead letter.
func anything(rt *rapid.T, dead int) func(*world) {
	if dead > 0 && rapid.IntRange(0, 2).Draw(rt, "redrive") == 0 {
		letter := rapid.IntRange(0, dead-1).Draw(rt, "letter")
		return func(w *world) {
			w.produce(deadletter.Redrive(w.dead(topology.RoleTransformer)[letter], "recharge.redrive.transformer"))
			w.handleAll()
		}
	}
	d, customer := deliveries().Draw(rt, "webhook"), strconv.Itoa(rapid.IntRange(1, 3).Draw(rt, "customer"))
	if _, of, ok := strings.Cut(d.body, `"customer_id":`); ok {
		customer = of[:1]
	}
	if rapid.IntRange(0, 3).Draw(rt, "deleted") == 0 {
		d = deletionOf(customer)
	}
	if rapid.IntRange(0, 3).Draw(rt, "dies") == 0 {
		return func(w *world) { w.dies(d, customer) }
	}
	return func(w *world) { w.deliver(d, customer) }
}

// dies writes a webhook of a customer, received now, as a dead letter.
func (w *world) dies(d delivery, customer string) {
	r := w.raw(d.topic, d.body)
	r.Key = []byte("acme/" + customer)
	w.produce(r)
	laid := w.topics.since("recharge.webhooks", 0)
	w.read[w.stages[0].Group+" recharge.webhooks"] = len(laid)
	w.produce(deadletter.Read(laid[len(laid)-1]).Rejected("transformer", "panic", "a fault of ours", w.clock()).To("recharge.deadletter.transformer"))
}

// lines are records without the fields of their delivery.
func lines(records []kafka.Record) (all []string) {
	for _, r := range records {
		all = append(all, fmt.Sprintf("%s %s %s %s %s", r.Header(envelope.HeaderRawOffset), r.Header("deadletter_offset"), r.Header("deadletter_reason"), r.Key, r.Value))
	}
	return all
}

func (w *world) requireNothingExpired(rt *rapid.T) {
	for range 4 { // cancellations are looked up more than once
		w.later(day)
		w.handleAll()
	}
	live := w.state.Customers()
	w.later(526 * day)
	w.expire()
	for _, customer := range []string{"1", "2", "3"} {
		require.NotContains(rt, string(w.state.Rows["customer/acme/"+customer]), `"deleted_at"`)
	}
	w.later(15 * 31 * day)
	w.expire()
	for key, row := range live {
		if live[key] = withoutFacts(row); live[key] == nil || strings.Contains(string(row), `"deleted_at"`) || strings.HasPrefix(key, "owner/") || strings.HasPrefix(key, "charge-owner/") {
			delete(live, key)
		}
	}
	require.Equal(rt, live, w.state.Customers())
	require.Equal(rt, w.state.Rows, w.changelog())
}

// withoutFacts returns the row of a customer without their facts, nil if there is nothing else.
func withoutFacts(row []byte) []byte {
	_, rest, found := bytes.Cut(row, []byte(`{"emitted":{`))
	if !found {
		return row
	}
	if _, rest, found = bytes.Cut(rest, []byte(`"},`)); !found {
		return nil
	}
	return append([]byte("\x01{"), rest...)
}

// onBroker is a transformer on a broker, with a clock of its own.
type onBroker struct {
	*world
	cluster  kafka.Cluster
	topics   topology.Topics
	producer *kafka.Producer
	ahead    atomic.Int64 // of the wall's clock
}

func newOnBroker(t *testing.T) *onBroker {
	b := &onBroker{cluster: kafkatest.Embedded(t).Cluster(), topics: topology.Topics{Prefix: "swept" + strings.ToLower(rand.Text()) + "."}}
	var spec admin.Spec
	for _, name := range []string{
		b.topics.Webhooks(), b.topics.Redrive(topology.RoleTransformer), b.topics.Events(), b.topics.Facts(), b.topics.State(), b.topics.Customers(),
		b.topics.Subscriptions(), b.topics.Charges(), b.topics.DeadLetters(topology.RoleTransformer),
	} {
		spec.Topics = append(spec.Topics, admin.TopicSpec{Name: name, Partitions: 1, Replication: 1})
	}
	_, err := admin.Apply(t.Context(), b.cluster, spec)
	require.NoError(t, err)
	b.world = newWorld(t, storeConfig{})
	b.run.Topics, b.run.Now = b.topics, func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
	b.producer = kafka.NewProducer(b.cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, b.producer.Close()) })
	return b
}

// runs runs a transformer with an empty state directory, until it is stopped.
func (b *onBroker) runs(t *testing.T, punctuateEvery time.Duration) (stop func()) {
	store, err := state.Open(state.Config{Dir: t.TempDir(), Topic: b.topics.State(), Cluster: b.cluster})
	require.NoError(t, err)
	raw, err := kafka.NewTopicReader(b.cluster, b.topics.Webhooks())
	require.NoError(t, err)
	options := b.options(storeConfig{})
	options.State, options.Raw = onDisk(store), raw
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, options, b.run)
	require.NoError(t, err)
	stage := stages[0]
	consumer := kafka.NewConsumer(b.cluster, kafka.ConsumerConfig{Group: stage.Group, Topics: stage.Topics, FetchWait: 20 * time.Millisecond}, zap.NewNop())
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- consumer.RunTransactions(ctx, kafka.Transactions{
			Transform: stage.Transform, TakeOver: stage.Transactor.TakeOver, Release: stage.Transactor.Release,
			Punctuate: stage.Punctuate, PunctuateEvery: punctuateEvery,
		})
	}()
	return func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, store.Close())
		raw.Close()
	}
}

// produces writes raw records of customers, received now.
func (b *onBroker) produces(t *testing.T, records ...kafka.Record) {
	for i := range records {
		records[i].Topic = b.topics.Webhooks()
		records[i].Headers = slices.Clone(records[i].Headers)
		for j, h := range records[i].Headers {
			if h.Key == envelope.HeaderReceivedAt {
				records[i].Headers[j].Value = []byte(b.run.Now().UTC().Format(time.RFC3339Nano))
			}
		}
	}
	require.NoError(t, b.producer.Produce(t.Context(), records...))
}

func (b *onBroker) about(customer string, d delivery) kafka.Record {
	r := b.raw(d.topic, d.body)
	r.Key = []byte("acme/" + customer)
	return r
}

// rows are the changelog's keys; those with a tombstone are false.
func (b *onBroker) rows(t *testing.T) map[string]bool {
	found := map[string]bool{}
	for r, err := range kafka.Scan(t.Context(), b.cluster, b.topics.State(), time.Time{}) {
		require.NoError(t, err)
		if r.Key[0] != 0 {
			found[string(r.Key)] = r.Value != nil
		}
	}
	return found
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 2*time.Minute, 10*time.Millisecond, what)
}

// On a broker: the changelog gets tombstones of expired rows, and the next owner does not restore them.
func TestExpiryOnABroker(t *testing.T) {
	b := newOnBroker(t)
	stop := b.runs(t, 5*time.Millisecond)
	b.produces(t, b.about("7", createdOf("7", "71")), b.about("8", createdOf("8", "81")), b.about("7", deletionOf("7")))
	eventually(t, "all are decided on", func() bool { return len(b.outcomes.all()) == 5 })
	before := b.rows(t)
	require.True(t, before["customer/acme/7"])

	b.ahead.Add(int64(900 * day))
	eventually(t, "a tombstone", func() bool { return !b.rows(t)["customer/acme/7"] })
	assert.True(t, b.rows(t)["customer/acme/8"])
	stop()
	stop = b.runs(t, 5*time.Millisecond)
	b.produces(t, b.about("7", deletionOf("7")), b.about("8", deletionOf("8")))
	eventually(t, "the next owner continues", func() bool { return len(b.outcomes.all()) == 7 })
	assert.Equal(t, []string{"transformer skipped no_fact", "transformer done"}, b.outcomes.all()[5:], "the customer in the state had the property")
	stop()
}

// On a broker: many parked records are replayed at once, in parts, whatever the punctuation interval.
func TestReplayOnABroker(t *testing.T) {
	const many = 1500
	b := newOnBroker(t)
	stop := b.runs(t, time.Hour)
	defer stop()
	var waiting []kafka.Record
	for id := 1; id <= many; id++ {
		waiting = append(waiting, rawAt(0, "charge/created", chargeOf7(id), envelope.SourceWebhook))
	}
	b.produces(t, waiting...)
	eventually(t, "all are parked", func() bool { return b.outcomes.count("transformer parked lookup_pending") == many })
	began := time.Now()
	b.produces(t, rawAt(0, "", customerAnswer, envelope.SourceLookup))
	eventually(t, "all are replayed", func() bool { return b.outcomes.count("transformer done") == many })
	t.Logf("replayed %d in %s", many, time.Since(began))
	var offsets []int
	for r, err := range kafka.Scan(t.Context(), b.cluster, b.topics.Events(), time.Time{}) {
		require.NoError(t, err)
		if r.Header(envelope.HeaderCEType) == "rechargeflow.subscription_charge" {
			offset, err := strconv.Atoi(r.Header(envelope.HeaderRawOffset))
			require.NoError(t, err)
			offsets = append(offsets, offset)
		}
	}
	require.Len(t, offsets, many)
	assert.True(t, slices.IsSorted(offsets), "in their order")
}
