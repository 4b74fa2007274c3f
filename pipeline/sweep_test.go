package pipeline_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"maps"
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
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/sweep"
)

const day = 24 * time.Hour

// transforming is a world of which only the transformer works.
func transforming(t testing.TB) *world {
	w := newWorld(t, storeConfig{})
	w.stages, w.state.rows = []*pipeline.Stage{w.stage(pipeline.RoleTransformer)}, map[string][]byte{}
	return w
}

// sweep walks the whole state, some time after the last record, and returns how many rows were removed.
func (w *world) sweep() (removed int) {
	w.later(time.Hour)
	for range 3 {
		removed += w.sweepStep(nil)
	}
	return removed
}

func (w *world) sweepStep(failed error) (removed int) {
	out, err := w.stages[0].Sweep(w.t.Context(), 0)
	require.NoError(w.t, err)
	if len(out.Outputs) == 0 {
		return 0
	}
	for _, r := range out.Outputs {
		require.Equal(w.t, "recharge.state", r.Topic)
		require.Nil(w.t, r.Value, "a tombstone")
	}
	if failed == nil {
		require.NoError(w.t, w.topics.Produce(w.t.Context(), out.Outputs...))
	}
	out.Ended(failed)
	return len(out.Outputs)
}

// rowsOf are the keys of a customer's rows.
func (w *world) rowsOf(customer string) []string {
	var keys []string
	for key := range w.state.rows {
		_, of, _ := strings.Cut(key, "/")
		if strings.HasPrefix(of+"/", "acme/"+customer+"/") {
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

// hears lays a webhook of a customer, received now, and lets happen what comes of it.
func (w *world) hears(d delivery, customer string) {
	r := w.raw(d.topic, d.body)
	r.Key = []byte("acme/" + customer)
	w.lay(r)
	w.settle()
}

func deletionOf(customer string) delivery {
	return delivery{topic: "customer/deleted", body: `{"customer":{"id":` + customer + `}}`}
}

func createdOf(customer, subscription string) delivery {
	return delivery{topic: "subscription/created", body: fmt.Sprintf(`{"subscription":{"id":%s,"customer_id":%s,"address_id":5,"status":"active",`+
		`"created_at":%q,"updated_at":%q},"customer":{"id":%s,"email":"c%s@shop.test"}}`, subscription, customer, at(0), at(0), customer, customer)}
}

// That a customer was deleted counts for 100 days, by the clock of what comes in, and the facts told of them for their own 14
// months. The rows go when no record that may still come could need them.
func TestWhatIsPastItsAgeGoes(t *testing.T) {
	w := transforming(t)
	for _, customer := range []string{"7", "71"} {
		w.hears(createdOf(customer, customer+"1"), customer)
	}
	w.hears(deletionOf("7"), "7")
	late := delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 0)}

	w.later(99 * day)
	of7, of71 := w.rowsOf("7"), w.rowsOf("71")
	assert.Equal(t, []string{"customer/acme/7", "told/acme/7/2026-03"}, of7)
	assert.Equal(t, []string{"customer/acme/71", "subscription/acme/71/711", "told/acme/71/2026-03"}, of71)
	w.hears(late, "7")
	assert.Equal(t, 1, w.fates.count("transformer rejected customer_unknown"))
	assert.Empty(t, w.asks.pending)

	w.later(425 * day)
	assert.Zero(t, w.sweep())
	w.later(day)
	assert.Equal(t, 1, w.sweep())
	assert.Equal(t, of7[1:], w.rowsOf("7"))

	w.later(351 * day) // 876 in all
	assert.Zero(t, w.sweep())
	w.later(10 * day)
	assert.Equal(t, 2, w.sweep())
	assert.Empty(t, w.rowsOf("7"))
	assert.Equal(t, of71[:2], w.rowsOf("71"))
	assert.Equal(t, w.state.rows, w.changelog())
}

// A stranger whom we knew, and forgot that they were deleted, is not told of twice.
func TestAStrangerIsNotToldOfTwice(t *testing.T) {
	w := transforming(t)
	w.hears(createdOf("7", "71"), "7")
	w.hears(deletionOf("7"), "7")
	w.later(101 * day)
	w.sweep()
	told := len(w.eventsOf("rechargeflow.subscription"))
	w.hears(createdOf("7", "71"), "7")
	assert.Contains(t, string(w.state.rows["customer/acme/7"]), `"email":"c7@shop.test"`)
	assert.Len(t, w.eventsOf("rechargeflow.subscription"), told)
	w.later(400 * day)
	w.hears(createdOf("7", "71"), "7")
	assert.Len(t, w.eventsOf("rechargeflow.subscription"), told+1)
}

// eventsOf are those of a type.
func (w *world) eventsOf(kind string) (events []kafka.Record) {
	for _, r := range w.topics.since("recharge.events", 0) {
		if r.Header(pipeline.HeaderType) == kind {
			events = append(events, r)
		}
	}
	return events
}

// In a rebuild webhooks are read that are as old as retention lets them be, however long the reading pauses in between.
func TestASweepDoesNotRunAheadOfWhatIsRead(t *testing.T) {
	w := transforming(t)
	then := w.clock()
	w.later(400 * day)
	read := func(received time.Time, d delivery) {
		r := w.raw(d.topic, d.body)
		r.Key = []byte("acme/7")
		r.Headers[2].Value = []byte(received.Format(time.RFC3339Nano))
		w.lay(r)
		w.settle()
		w.later(13 * time.Hour)
		require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
		assert.Zero(t, w.sweep())
	}
	read(then, createdOf("7", "71"))
	read(then, deletionOf("7"))
	events := len(w.topics.since("recharge.events", 0))
	read(then.Add(99*day), createdOf("7", "71"))
	assert.Equal(t, 1, w.fates.count("transformer skipped already_told"))
	assert.Len(t, w.topics.since("recharge.events", 0), events)
	assert.Equal(t, []string{"customer/acme/7", "told/acme/7/2026-03"}, w.rowsOf("7"))
}

// deletedThenRedriven is a customer who was deleted, of whom a webhook of day 50 died and is sent again on day 110.
func deletedThenRedriven(t *testing.T, meanwhile func(*world)) *world {
	p := &panicky{key: "told/acme/7/2026-04"}
	w := panicking(t, p)
	w.hears(createdOf("7", "71"), "7")
	w.hears(deletionOf("7"), "7")
	w.later(50 * day)
	p.times = 2 // in its batch, and alone
	w.hears(createdOf("7", "72"), "7")
	p.times = 0
	require.Equal(t, 1, w.fates.count("transformer rejected panic"))
	w.later(60 * day)
	meanwhile(w)
	w.redrive(pipeline.RoleTransformer)
	w.settle()
	return w
}

// A redriven webhook meets what was known when it was received: nobody who was deleted by then comes back, swept or not.
func TestARedrivenWebhookRevivesNobody(t *testing.T) {
	left := deletedThenRedriven(t, func(*world) {})
	swept := deletedThenRedriven(t, func(w *world) { w.sweep() })
	for _, w := range []*world{left, swept} {
		customers := w.topics.since("recharge.customers", 0)
		assert.Nil(t, customers[len(customers)-1].Value, "a tombstone")
		flags := w.eventsOf("rechargeflow.customer_property")
		assert.Contains(t, string(flags[len(flags)-1].Value), `"value":false`)
		assert.Len(t, w.eventsOf("rechargeflow.subscription"), 2, "what happened is told: the body says of whom")
		assert.NotContains(t, string(w.state.rows["customer/acme/7"]), "shop.test")
	}
	assert.Equal(t, outputs(left), outputs(swept))
	assert.Equal(t, left.state.rows, swept.state.rows)
}

// outputs are all that a transformer wrote but its state.
func outputs(w *world) map[string][]string {
	all := map[string][]string{}
	for _, topic := range []string{"recharge.events", "recharge.customers", "recharge.subscriptions", "recharge.deadletter.transformer"} {
		all[topic] = lines(w.topics.since(topic, 0))
	}
	return all
}

// What is sent again for more than 425 days is refused; what is merely old is not.
func TestWhatIsTooOldIsNotDecidedOn(t *testing.T) {
	w := transforming(t)
	then := w.clock()
	w.hears(delivery{topic: "subscription/created", body: `{}`}, "7")
	w.later(425 * day)
	w.redrive(pipeline.RoleTransformer)
	w.settle()
	assert.Equal(t, 2, w.fates.count("transformer rejected malformed"))

	w.later(time.Second)
	events := len(w.topics.since("recharge.events", 0))
	w.redrive(pipeline.RoleTransformer)
	w.settle()
	assert.Equal(t, 2, w.fates.count("transformer rejected too_old"), "both letters")
	assert.Len(t, w.topics.since("recharge.events", 0), events)

	r := w.raw("subscription/created", createdOf("7", "71").body)
	r.Key, r.Headers[2].Value = []byte("acme/7"), []byte(then.Format(time.RFC3339Nano))
	w.lay(r)
	w.settle()
	assert.Equal(t, 1, w.fates.count("transformer done"), "no redrive: retention is what ends those")
}

// Nothing is removed of a customer about whom a question is open.
func TestASweepLeavesWhoIsAskedFor(t *testing.T) {
	w := transforming(t)
	w.hears(createdOf("7", "71"), "7")
	w.hasAPI = false
	w.hears(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	w.hears(deletionOf("7"), "7")
	require.Contains(t, w.state.rows, "ask/acme/7/flag/")
	w.later(526 * day)
	assert.Zero(t, w.sweep())
	w.hasAPI = true
	w.settle()
	require.NotContains(t, w.state.rows, "ask/acme/7/flag/")
	w.later(13 * time.Hour)
	assert.Equal(t, 1, w.sweep())
	assert.NotContains(t, w.state.rows, "customer/acme/7")
}

// A step is bounded; one that fails is taken again; all is seen in the end, and then there is a rest.
func TestASweepGoesInSteps(t *testing.T) {
	w := transforming(t)
	w.state.rows = map[string][]byte{}
	const customers = 9000
	for i := range customers {
		w.state.rows[fmt.Sprintf("told/acme/%d/2026-02", i)] = make([]byte, 8)
		if i%5 == 0 {
			w.state.rows[fmt.Sprintf("told/acme/%d/2020-01", i)] = make([]byte, 8)
		}
	}
	w.later(time.Hour)
	removed, steps := 0, 0
	for ; removed < customers/5; steps++ {
		require.Less(t, steps, 100)
		w.sweepStep(errors.New("broker away"))
		once := w.sweepStep(nil)
		assert.LessOrEqual(t, once, 500)
		removed += once
		w.later(sweep.Every)
	}
	assert.Len(t, w.state.rows, customers)
	for range 3 {
		assert.Zero(t, w.sweepStep(nil))
	}
	w.state.rows["told/acme/1/2020-01"] = make([]byte, 8)
	assert.Zero(t, w.sweepStep(nil), "it rests")
	w.later(12 * time.Hour)
	assert.Equal(t, 1, w.sweep())
}

// Whatever comes, and whenever, for the first time or sent again: that rows are removed changes nothing of what becomes of
// webhooks. In the end nothing is left of who was deleted, and all of who was not but the facts that are past their age.
func TestSweepsChangeNothingElse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		swept, left := transforming(oneCheck{TB: t, rt: rt}), transforming(oneCheck{TB: t, rt: rt})
		for id, customer := range apiCustomers() {
			swept.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
			left.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			swept.later(time.Duration(rapid.SampledFrom([]int{0, 60, 3600, 86400, 50 * 86400, 99 * 86400, 101 * 86400, 200 * 86400, 424 * 86400}).Draw(rt, "seconds")) * time.Second)
			for range rapid.IntRange(0, 3).Draw(rt, "sweeps") {
				swept.sweepStep(nil)
			}
			left.set(swept.clock())
			happens := anything(rt, len(swept.dead(pipeline.RoleTransformer)))
			happens(swept)
			happens(left)
			require.Equal(rt, outputs(left), outputs(swept))
		}
		swept.requireNothingPastItsAge(rt)
	})
}

// anything is a webhook that comes, or one that dies, or one that died before and is sent again.
func anything(rt *rapid.T, dead int) func(*world) {
	if dead > 0 && rapid.IntRange(0, 2).Draw(rt, "redrive") == 0 {
		letter := rapid.IntRange(0, dead-1).Draw(rt, "letter")
		return func(w *world) {
			w.lay(deadletter.Redrive(w.dead(pipeline.RoleTransformer)[letter], "recharge.redrive.transformer"))
			w.settle()
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
	return func(w *world) { w.hears(d, customer) }
}

// dies lays a webhook of a customer, received now, that the transformer can't work on yet.
func (w *world) dies(d delivery, customer string) {
	r := w.raw(d.topic, d.body)
	r.Key = []byte("acme/" + customer)
	w.lay(r)
	laid := w.topics.since("recharge.webhooks", 0)
	w.read[w.stages[0].Group+" recharge.webhooks"] = len(laid)
	w.lay(deadletter.Read(laid[len(laid)-1]).Rejected("transformer", "panic", "a fault of ours", w.clock()).To("recharge.deadletter.transformer"))
}

// lines are records without what is about their delivery.
func lines(records []kafka.Record) (all []string) {
	for _, r := range records {
		all = append(all, fmt.Sprintf("%s %s %s %s %s", r.Header(pipeline.HeaderRawOffset), r.Header("deadletter_offset"), r.Header("deadletter_reason"), r.Key, r.Value))
	}
	return all
}

func (w *world) requireNothingPastItsAge(rt *rapid.T) {
	for range 4 { // cancellations are looked for more than once
		w.later(day)
		w.settle()
	}
	live := maps.Clone(w.state.rows)
	w.later(526 * day)
	w.sweep()
	for _, customer := range []string{"1", "2", "3"} {
		if strings.Contains(string(live["customer/acme/"+customer]), `"deleted_at"`) {
			require.NotContains(rt, w.rowsOf(customer), "customer/acme/"+customer)
		}
	}
	w.later(15 * 31 * day)
	w.sweep()
	maps.DeleteFunc(live, func(key string, _ []byte) bool {
		_, of, _ := strings.Cut(key, "/acme/")
		return strings.HasPrefix(key, "told/") || strings.Contains(string(live["customer/acme/"+of[:1]]), `"deleted_at"`)
	})
	require.Equal(rt, live, w.state.rows)
	require.Equal(rt, w.state.rows, w.changelog())
}

// partitionsOf is a state.Store as the transformer uses it.
type partitionsOf struct{ *state.Store }

func (p partitionsOf) TakeOver(ctx context.Context, partition int) error {
	return p.Partition(partition).TakeOver(ctx)
}

func (p partitionsOf) Begin(partition int) pipeline.Overlay { return p.Partition(partition).Begin() }

func (p partitionsOf) Release(partition int) { p.Partition(partition).Release() }

// onBroker is a transformer on a broker, with a clock of its own.
type onBroker struct {
	*world
	cluster  kafka.Cluster
	topics   pipeline.Topics
	producer *kafka.Producer
	ahead    atomic.Int64 // of the wall's clock
}

func newOnBroker(t *testing.T) *onBroker {
	b := &onBroker{cluster: kafkatest.Embedded(t).Cluster(), topics: pipeline.Topics{Prefix: "swept" + strings.ToLower(rand.Text()) + "."}}
	var spec kafka.Spec
	for _, name := range []string{
		b.topics.Webhooks(), b.topics.Redrive(pipeline.RoleTransformer), b.topics.Events(), b.topics.State(), b.topics.Customers(),
		b.topics.Subscriptions(), b.topics.DeadLetters(pipeline.RoleTransformer),
	} {
		spec.Topics = append(spec.Topics, kafka.TopicSpec{Name: name, Partitions: 1, Replication: 1})
	}
	_, err := kafka.Apply(t.Context(), b.cluster, spec)
	require.NoError(t, err)
	b.world = newWorld(t, storeConfig{})
	b.run.Topics, b.run.Now = b.topics, func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
	b.producer = kafka.NewProducer(b.cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, b.producer.Close()) })
	return b
}

// runs works with a state that begins in an empty folder, until it is stopped.
func (b *onBroker) runs(t *testing.T, sweepEvery time.Duration) (stop func()) {
	store, err := state.Open(state.Config{Dir: t.TempDir(), Topic: b.topics.State(), Cluster: b.cluster})
	require.NoError(t, err)
	raw, err := kafka.NewTopicReader(b.cluster, b.topics.Webhooks())
	require.NoError(t, err)
	options := b.options(storeConfig{})
	options.State, options.Raw, options.Asker = partitionsOf{store}, rawReader{raw}, nobody{}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, options, b.run)
	require.NoError(t, err)
	stage := stages[0]
	consumer := kafka.NewConsumer(b.cluster, kafka.ConsumerConfig{Group: stage.Group, Topics: stage.Topics, FetchWait: 20 * time.Millisecond}, zap.NewNop())
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- consumer.RunTransactions(ctx, kafka.Transactions{
			Transform: stage.Transform, TakeOver: stage.Transactor.TakeOver, Release: stage.Transactor.Release,
			Sweep: stage.Sweep, SweepEvery: sweepEvery,
		})
	}()
	return func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, store.Close())
		raw.Close()
	}
}

// lays puts raw records of customers into their topic, received now.
func (b *onBroker) lays(t *testing.T, records ...kafka.Record) {
	for i := range records {
		records[i].Topic = b.topics.Webhooks()
		records[i].Headers = slices.Clone(records[i].Headers)
		for j, h := range records[i].Headers {
			if h.Key == pipeline.HeaderReceivedAt {
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
	require.Eventually(t, is, 30*time.Second, 10*time.Millisecond, what)
}

// rawReader reads what was put aside.
type rawReader struct{ *kafka.TopicReader }

func (r rawReader) Read(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return r.Records(ctx, partition, offsets...)
}

// nobody answers questions.
type nobody struct{}

func (nobody) Want(int, ...pipeline.Wanted) {}

func (nobody) Forget(int) {}

// On a broker: the changelog gets tombstones beside what records change, and the next owner finds nothing of who is gone.
func TestSweptOnABroker(t *testing.T) {
	b := newOnBroker(t)
	stop := b.runs(t, 5*time.Millisecond)
	b.lays(t, b.about("7", createdOf("7", "71")), b.about("8", createdOf("8", "81")), b.about("7", deletionOf("7")))
	eventually(t, "all are decided on", func() bool { return len(b.fates.all()) == 3 })
	before := b.rows(t)
	require.True(t, before["customer/acme/7"])
	told := slices.DeleteFunc(slices.Collect(maps.Keys(before)), func(key string) bool { return !strings.HasPrefix(key, "told/acme/7/") })
	require.Len(t, told, 1)

	b.ahead.Add(int64(900 * day))
	eventually(t, "tombstones", func() bool { now := b.rows(t); return !now["customer/acme/7"] && !now[told[0]] })
	assert.True(t, b.rows(t)["customer/acme/8"])
	stop()
	stop = b.runs(t, 5*time.Millisecond)
	b.lays(t, b.about("7", deletionOf("7")), b.about("8", deletionOf("8")))
	eventually(t, "the next owner goes on", func() bool { return len(b.fates.all()) == 5 })
	assert.Equal(t, []string{"transformer skipped no_fact", "transformer done"}, b.fates.all()[3:], "whom it knows had a flag")
	stop()
	now := b.rows(t)
	assert.False(t, now[told[0]])
}

// On a broker: thousands that wait are released at once, in parts, whatever the time between sweeps is.
func TestReleasedOnABroker(t *testing.T) {
	const many = 3000
	b := newOnBroker(t)
	stop := b.runs(t, time.Hour)
	defer stop()
	var waiting []kafka.Record
	for id := 1; id <= many; id++ {
		waiting = append(waiting, rawAt(0, "charge/created", chargeOf7(id), pipeline.OriginWebhook))
	}
	b.lays(t, waiting...)
	eventually(t, "all wait", func() bool { return b.fates.count("transformer waiting customer_asked") == many })
	began := time.Now()
	b.lays(t, rawAt(0, "", customerAnswer, pipeline.OriginLookup))
	eventually(t, "all are released", func() bool { return b.fates.count("transformer done") == many })
	t.Logf("released %d in %s", many, time.Since(began))
	var offsets []int
	for r, err := range kafka.Scan(t.Context(), b.cluster, b.topics.Events(), time.Time{}) {
		require.NoError(t, err)
		if r.Header(pipeline.HeaderType) == "rechargeflow.subscription_charge" {
			offset, err := strconv.Atoi(r.Header(pipeline.HeaderRawOffset))
			require.NoError(t, err)
			offsets = append(offsets, offset)
		}
	}
	require.Len(t, offsets, many)
	assert.True(t, slices.IsSorted(offsets), "in their order")
}
