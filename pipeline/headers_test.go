package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// with returns a record with a header set to a value; "" removes it.
func with(r kafka.Record, key, value string) kafka.Record {
	var headers []kafka.Header
	for _, h := range r.Headers {
		if h.Key != key {
			headers = append(headers, h)
		}
	}
	if value != "" {
		headers = append(headers, header(key, value))
	}
	r.Headers = headers
	return r
}

// faults are what can be wrong with the headers of any record, and the errors.
func faults() map[string]struct {
	change func(kafka.Record) kafka.Record
	err    string
} {
	set := func(key, value string) func(kafka.Record) kafka.Record {
		return func(r kafka.Record) kafka.Record { return with(r, key, value) }
	}
	return map[string]struct {
		change func(kafka.Record) kafka.Record
		err    string
	}{
		"no headers": {func(r kafka.Record) kafka.Record {
			return kafka.Record{Topic: r.Topic, Offset: r.Offset, Key: []byte("test"), Value: []byte("hello {{{")}
		}, "header store is missing"},
		"nothing at all":          {func(r kafka.Record) kafka.Record { return kafka.Record{Topic: r.Topic, Offset: r.Offset} }, "header store is missing"},
		"no store":                {set(envelope.HeaderStore, ""), "header store is missing"},
		"a store in upper case":   {set(envelope.HeaderStore, "ACME"), "header store has an invalid value of 4 bytes"},
		"a store of invalid text": {set(envelope.HeaderStore, "ac\xff\x00"), "header store has an invalid value of 4 bytes"},
		"a store without an end":  {set(envelope.HeaderStore, strings.Repeat("a", 1<<16)), "header store has an invalid value of 65536 bytes"},
		"headers without an end": {func(r kafka.Record) kafka.Record {
			return with(with(r, envelope.HeaderStore, ""), "x", strings.Repeat("x", 1<<20))
		}, "header store is missing"},
		"a key without an end": {func(r kafka.Record) kafka.Record {
			r = with(r, envelope.HeaderStore, "")
			r.Key = []byte(strings.Repeat("k", 1<<20))
			return r
		}, "header store is missing"},
	}
}

// requireRejected gives a stage a bad record between two good ones. The bad one is a dead letter, the good ones are handled.
func requireRejected(t *testing.T, w *world, role topology.Role, bad kafka.Record, good []kafka.Record, wantErr string) {
	t.Helper()
	metrics := telemetry.NewMetrics() // which panics on an invalid label
	stage := w.stage(role)
	stage.Run.Metrics = tee{w.outcomes, metrics}
	records := []kafka.Record{good[0], bad, good[1]}
	for len(records) > 0 {
		left, err := handle(t.Context(), stage, w.run.Produce, records)
		require.NoError(t, err)
		require.Less(t, len(left), len(records))
		records = left
	}
	letters := w.dead(role)
	require.Len(t, letters, 1)
	assert.Equal(t, "malformed", letters[0].Header(deadletter.HeaderReason))
	assert.Equal(t, wantErr, letters[0].Header(deadletter.HeaderError))
	assert.LessOrEqual(t, letters[0].Size(), kafka.MaxRecordBytes, "the dead letter can be written")
	done := 0
	for _, line := range w.outcomes.all() {
		if line == string(role)+" done" {
			done++
		}
	}
	assert.Equal(t, 2, done, "%v", w.outcomes.all())
	assert.Less(t, len(w.log.String()), 64<<10, "the log quotes no long header")
}

// tee gives metrics to two.
type tee struct {
	*outcomes
	also *telemetry.Metrics
}

func (m tee) Record(role, store, outcome, reason string) {
	m.outcomes.Record(role, store, outcome, reason)
	m.also.Record(role, store, outcome, reason)
}

func TestRecordWithoutHeaders(t *testing.T) {
	roles := map[topology.Role]func(w *world) []kafka.Record{
		topology.RoleTransformer: func(w *world) []kafka.Record {
			return []kafka.Record{
				w.raw("subscription/created", subscriptionBody("1", joBean)), w.raw("subscription/created", subscriptionBody("2", joBean)),
			}
		},
		topology.RoleTracking: func(w *world) []kafka.Record { return w.eventRecords(2) },
		topology.RoleSMS:      func(w *world) []kafka.Record { return w.triggers(2) },
	}
	for role, good := range roles {
		for name, fault := range faults() {
			for _, redriven := range []bool{false, true} {
				t.Run(string(role)+" "+name+map[bool]string{true: " redriven"}[redriven], func(t *testing.T) {
					w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}})
					records := good(w)
					bad := fault.change(records[0])
					bad.Offset = 7
					if redriven {
						for i := range records {
							records[i].Topic = topology.Topics{}.Redrive(role)
						}
						bad.Topic = records[0].Topic
					}
					requireRejected(t, w, role, bad, records, fault.err)
				})
			}
		}
	}
}

func TestRawRecordWithBadHeaders(t *testing.T) {
	tests := map[string]struct {
		change func(*kafka.Record)
		err    string
	}{
		"no topic":           {func(r *kafka.Record) { *r = with(*r, envelope.HeaderRechargeTopic, "") }, "header recharge_topic is missing"},
		"topic of one part":  {func(r *kafka.Record) { *r = with(*r, envelope.HeaderRechargeTopic, "subscription") }, "header recharge_topic has an invalid value of 12 bytes"},
		"topic of nonsense":  {func(r *kafka.Record) { *r = with(*r, envelope.HeaderRechargeTopic, "\xff/\xff") }, "header recharge_topic has an invalid value of 3 bytes"},
		"topic without end":  {func(r *kafka.Record) { *r = with(*r, envelope.HeaderRechargeTopic, strings.Repeat("a/", 500)) }, "header recharge_topic has an invalid value of 1000 bytes"},
		"no time":            {func(r *kafka.Record) { *r = with(*r, envelope.HeaderReceivedAt, "") }, "header received_at is missing"},
		"time of nonsense":   {func(r *kafka.Record) { *r = with(*r, envelope.HeaderReceivedAt, "yesterday") }, "header received_at has an invalid value of 9 bytes"},
		"time in the future": {func(r *kafka.Record) { *r = with(*r, envelope.HeaderReceivedAt, "9999-01-01T00:00:00Z") }, "header received_at is in the future: 9999-01-01T00:00:00Z"},
		"no key":             {func(r *kafka.Record) { r.Key = nil }, "key is missing or does not begin with the store"},
		"another's key":      {func(r *kafka.Record) { r.Key = []byte("other/246936001") }, "key is missing or does not begin with the store"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			good := []kafka.Record{
				w.raw("subscription/created", subscriptionBody("1", joBean)), w.raw("subscription/created", subscriptionBody("2", joBean)),
			}
			bad := w.raw("subscription/created", subscriptionBody("3", joBean))
			test.change(&bad)
			requireRejected(t, w, topology.RoleTransformer, bad, good, test.err)
		})
	}
	t.Run("no value", func(t *testing.T) {
		w := newWorld(t, storeConfig{})
		bad := w.raw("subscription/created", "")
		bad.Value = nil
		w.produce(bad, w.raw("subscription/created", subscriptionBody("2", joBean)))
		w.handleAll()
		assert.Equal(t, 1, w.outcomes.count("transformer rejected malformed"))
		assert.Equal(t, 1, w.outcomes.count("transformer done"))
	})
}

// A record of a store that is not configured is a dead letter, which can be replayed when it is. Others go on.
func TestRawRecordOfAnUnknownStore(t *testing.T) {
	w := newWorld(t, storeConfig{})
	unknown := with(w.raw("subscription/created", subscriptionBody("1", joBean)), envelope.HeaderStore, "beta")
	unknown.Key = []byte("beta/246936001")
	w.produce(unknown, w.raw("subscription/created", subscriptionBody("2", joBean)))
	w.handleAll()
	assert.Equal(t, 1, w.outcomes.count("transformer rejected unknown_store (store unknown)"))
	assert.Equal(t, 1, w.outcomes.count("transformer done"))
	require.Len(t, w.dead(topology.RoleTransformer), 1)
	assert.Contains(t, w.dead(topology.RoleTransformer)[0].Header(deadletter.HeaderError), `store "beta" is not in the configuration`)

	options := w.options(storeConfig{})
	options.Stores[0].Settings.Store = "beta"
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, options, w.run)
	require.NoError(t, err)
	w.stages = stages
	w.redrive(topology.RoleTransformer)
	w.handleAll()
	assert.Equal(t, 1, w.outcomes.count("transformer done (store beta)"), "%v", w.outcomes.all())
}

// A time of receipt that is a little ahead is another machine's clock.
func TestRawRecordOfAClockAhead(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.produce(with(w.raw("subscription/created", subscriptionBody("1", joBean)), envelope.HeaderReceivedAt, w.clock().Add(time.Hour).Format(time.RFC3339)))
	w.handleAll()
	assert.Equal(t, 1, w.outcomes.count("transformer done"))
}

// Of several stores' sinks one rejects a record that names no store, so that there is one dead letter.
func TestRecordWithoutStoreHasOneDeadLetter(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true})
	options := w.options(storeConfig{SMS: true})
	beta := options.Stores[0]
	beta.Settings.Store = "beta"
	first := pipeline.Store{Settings: beta.Settings}
	first.Settings.Store = "without-sinks"
	options.Stores = append([]pipeline.Store{first}, append(options.Stores, beta)...)
	var err error
	w.stages, err = pipeline.Stages([]topology.Role{topology.RoleTracking, topology.RoleSMS}, options, w.run)
	require.NoError(t, err)
	w.produce(kafka.Record{Topic: "recharge.events"}, kafka.Record{Topic: "recharge.sms-triggers"})
	for _, stage := range w.stages {
		require.NoError(t, w.runStage(stage))
	}
	assert.Len(t, w.dead(topology.RoleTracking), 1)
	assert.Len(t, w.dead(topology.RoleSMS), 1)
}

// A trigger that does not say what it is could be a revocation: it is not sent.
func TestTriggerWithoutType(t *testing.T) {
	for value, want := range map[string]string{
		"": "header ce_type is missing", "rechargeflow.subscription": "header ce_type has an invalid value of 25 bytes",
	} {
		w := textWorld(t)
		w.send(with(w.triggerRecord(0), envelope.HeaderCEType, value), w.triggerRecord(1))
		assert.Equal(t, []string{"sms rejected malformed", "sms done"}, w.outcomes.lines[:2])
		assert.Contains(t, w.dead(topology.RoleSMS)[0].Header(deadletter.HeaderError), want)
	}
}
