package pipeline_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/sweep"
)

const day = 24 * time.Hour

// transforming is a world of which only the transformer works.
func transforming(t testing.TB) *world {
	w := newWorld(t, storeConfig{})
	w.stages = []*pipeline.Stage{w.stage(pipeline.RoleTransformer)}
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

// What a customer left behind goes 100 days after they were deleted, the facts told of others at their age; until then a
// late webhook finds all as it was.
func TestWhatIsPastItsAgeGoes(t *testing.T) {
	w := transforming(t)
	for _, customer := range []string{"7", "71"} {
		w.hears(createdOf(customer, customer+"1"), customer)
	}
	w.hears(deletionOf("7"), "7")
	late := delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 0)}

	w.later(99 * day)
	assert.Zero(t, w.sweep())
	assert.Equal(t, []string{"customer/acme/7", "told/acme/7/2026-03"}, w.rowsOf("7"))
	w.hears(late, "7")
	assert.Equal(t, 1, w.fates.count("transformer rejected customer_unknown"))
	assert.Empty(t, w.asks.pending)

	of71 := w.rowsOf("71")
	assert.Equal(t, []string{"customer/acme/71", "subscription/acme/71/711", "told/acme/71/2026-03"}, of71)
	w.later(day)
	assert.Equal(t, 2, w.sweep())
	assert.Empty(t, w.rowsOf("7"))
	assert.Equal(t, of71, w.rowsOf("71"))

	w.later(350 * day)
	assert.Zero(t, w.sweep())
	w.hears(createdOf("71", "711"), "71")
	assert.Equal(t, 1, w.fates.count("transformer skipped already_told"))
	w.later(31 * day)
	assert.Equal(t, 1, w.sweep())
	assert.Equal(t, of71[:2], w.rowsOf("71"))
	assert.Equal(t, w.state.rows, w.changelog())
}

// Where webhooks are read that are older than the clock, after a rebuild or a long outage, an age counts by theirs.
func TestASweepDoesNotRunAheadOfWhatIsRead(t *testing.T) {
	w := transforming(t)
	then := w.clock()
	sweepAmong := func() int { w.later(time.Minute); return w.sweepStep(nil) }
	received := func(at time.Time, d delivery) {
		r := w.raw(d.topic, d.body)
		r.Key = []byte("acme/7")
		r.Headers[2].Value = []byte(at.Format(time.RFC3339Nano))
		w.lay(r)
		w.settle()
	}
	w.later(300 * day)
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	assert.Zero(t, sweepAmong(), "nothing is known of what is to come")
	received(then, deletionOf("7"))
	assert.Zero(t, sweepAmong())
	received(then.Add(99*day), delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 0)})
	assert.Equal(t, 1, w.fates.count("transformer rejected customer_unknown"))
	w.later(13 * time.Hour)
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	received(then.Add(100*day), delivery{topic: "store/updated", body: "{}"})
	assert.Equal(t, 1, sweepAmong())
	assert.Empty(t, w.state.rows)
}

// Nothing is removed of a customer about whom a question is open.
func TestASweepLeavesWhoIsAskedFor(t *testing.T) {
	w := transforming(t)
	w.hears(createdOf("7", "71"), "7")
	w.hasAPI = false
	w.hears(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	w.hears(deletionOf("7"), "7")
	require.Contains(t, w.state.rows, "ask/acme/7/flag/")
	w.later(101 * day)
	assert.Zero(t, w.sweep())
	w.hasAPI = true
	w.settle()
	require.NotContains(t, w.state.rows, "ask/acme/7/flag/")
	w.later(13 * time.Hour)
	assert.Equal(t, 2, w.sweep())
	assert.Empty(t, w.state.rows)
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

// Whatever comes, and whenever: that rows are removed changes nothing of what becomes of webhooks. In the end nothing is left
// of who was deleted, and all of who was not but the facts that are past their age.
func TestSweepsChangeNothingElse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		swept, left := transforming(oneCheck{TB: t, rt: rt}), transforming(oneCheck{TB: t, rt: rt})
		for id, customer := range apiCustomers() {
			swept.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
			left.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
		}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			swept.later(time.Duration(rapid.SampledFrom([]int{0, 1, 60, 3600, 86400, 99 * 86400, 100 * 86400, 400 * 86400}).Draw(rt, "seconds")) * time.Second)
			if rapid.Bool().Draw(rt, "idle") {
				swept.later(time.Hour)
			}
			for range rapid.IntRange(0, 3).Draw(rt, "sweeps") {
				swept.sweepStep(nil)
			}
			left.set(swept.clock())
			d, customer := deliveries().Draw(rt, "webhook"), strconv.Itoa(rapid.IntRange(1, 3).Draw(rt, "customer"))
			if _, of, ok := strings.Cut(d.body, `"customer_id":`); ok {
				customer = of[:1]
			}
			if rapid.IntRange(0, 3).Draw(rt, "deleted") == 0 {
				d = deletionOf(customer)
			}
			swept.hears(d, customer)
			left.hears(d, customer)
		}
		for _, topic := range []string{"recharge.events", "recharge.customers", "recharge.subscriptions", "recharge.deadletter.transformer"} {
			require.Equal(rt, lines(left.topics.since(topic, 0)), lines(swept.topics.since(topic, 0)))
		}
		swept.requireNothingPastItsAge(rt)
	})
}

// lines are records without what is about their delivery.
func lines(records []kafka.Record) (all []string) {
	for _, r := range records {
		all = append(all, fmt.Sprintf("%s %s %s %s", r.Header(pipeline.HeaderRawOffset), r.Header("deadletter_offset"), r.Key, r.Value))
	}
	return all
}

func (w *world) requireNothingPastItsAge(rt *rapid.T) {
	for range 4 { // cancellations are looked for more than once
		w.later(day)
		w.settle()
	}
	live := maps.Clone(w.state.rows)
	w.later(101 * day)
	w.sweep()
	w.later(day)
	w.sweep()
	for _, customer := range []string{"1", "2", "3"} {
		if strings.Contains(string(live["customer/acme/"+customer]), `"deleted_at"`) {
			require.Empty(rt, w.rowsOf(customer))
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

// On a broker: the changelog gets tombstones beside what records change, and the next owner finds nothing of who is gone.
func TestSweptOnABroker(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	var clock atomic.Int64
	clock.Store(time.Now().UnixNano())
	topics := pipeline.Topics{Prefix: "swept."}
	var spec kafka.Spec
	for _, name := range []string{topics.Webhooks(), topics.Redrive(pipeline.RoleTransformer), topics.Events(), topics.State(), topics.Customers(), topics.Subscriptions(), topics.DeadLetters(pipeline.RoleTransformer)} {
		spec.Topics = append(spec.Topics, kafka.TopicSpec{Name: name, Partitions: 1, Replication: 1})
	}
	_, err := kafka.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	w := newWorld(t, storeConfig{})
	w.run.Topics, w.run.Now = topics, func() time.Time { return time.Unix(0, clock.Load()) }
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, producer.Close()) })
	run := func() (stop func()) {
		store, err := state.Open(state.Config{Dir: t.TempDir(), Topic: topics.State(), Cluster: cluster})
		require.NoError(t, err)
		options := w.options(storeConfig{})
		options.State = partitionsOf{store}
		stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, options, w.run)
		require.NoError(t, err)
		stage := stages[0]
		consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: stage.Group, Topics: stage.Topics, FetchWait: 20 * time.Millisecond}, zap.NewNop())
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan error, 1)
		go func() {
			ended <- consumer.RunTransactions(ctx, kafka.Transactions{
				Transform: stage.Transform, TakeOver: stage.Transactor.TakeOver, Release: stage.Transactor.Release,
				Sweep: stage.Sweep, SweepEvery: 5 * time.Millisecond,
			})
		}()
		return func() {
			cancel()
			require.NoError(t, <-ended)
			require.NoError(t, store.Close())
		}
	}
	lay := func(d delivery, customer string) {
		r := w.raw(d.topic, d.body)
		r.Topic, r.Key = topics.Webhooks(), []byte("acme/"+customer)
		r.Headers[2].Value = []byte(w.run.Now().UTC().Format(time.RFC3339Nano))
		require.NoError(t, producer.Produce(t.Context(), r))
	}
	rows := func() map[string]bool {
		found := map[string]bool{}
		for r, err := range kafka.Scan(t.Context(), cluster, topics.State(), time.Time{}) {
			require.NoError(t, err)
			if r.Key[0] != 0 {
				found[string(r.Key)] = r.Value != nil
			}
		}
		return found
	}
	stop := run()
	lay(createdOf("7", "71"), "7")
	lay(createdOf("8", "81"), "8")
	lay(deletionOf("7"), "7")
	eventually := func(what string, is func() bool) {
		require.Eventually(t, is, 30*time.Second, 20*time.Millisecond, what)
	}
	eventually("all are decided on", func() bool { return len(w.fates.all()) == 3 })
	require.True(t, rows()["customer/acme/7"])
	told := slices.Collect(maps.Keys(rows()))
	told = slices.DeleteFunc(told, func(key string) bool { return !strings.HasPrefix(key, "told/acme/7/") })
	require.Len(t, told, 1)

	clock.Add(int64(101 * day))
	eventually("tombstones", func() bool { now := rows(); return !now["customer/acme/7"] && !now[told[0]] })
	assert.True(t, rows()["customer/acme/8"])
	stop()
	stop = run()
	lay(createdOf("8", "81"), "8")
	eventually("the next owner goes on", func() bool { return w.fates.count("transformer skipped already_told") == 1 })
	stop()
	now := rows()
	assert.Contains(t, now, "customer/acme/7")
	assert.False(t, now["customer/acme/7"])
	assert.True(t, now["customer/acme/8"])
}
