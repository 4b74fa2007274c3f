package membership_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

// world is a store with its topics, its Bloomreach project, and a clock.
type world struct {
	*testing.T
	source     membership.Source
	producer   *kafka.Producer
	server     *bloomreachtest.Server
	byRecharge bool
	segments   []membership.Segment
	only       []string
	now        time.Time
	slept      []time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b := kafkatest.Embedded(t)
	topics := topology.Topics{Prefix: kafkatest.Topic(t, b.Addr(), 1) + "."}
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: topics.Prefix, SingleBroker: true, Partitions: 3})
	require.NoError(t, err)
	spec.Topics = slices.DeleteFunc(spec.Topics, func(s admin.TopicSpec) bool {
		return !slices.Contains([]string{topics.Customers(), topics.Messages(), topics.SegmentMembers()}, s.Name)
	})
	_, err = admin.Apply(t.Context(), b.Cluster(), spec)
	require.NoError(t, err)
	w := &world{
		T: t, source: membership.Source{Cluster: b.Cluster(), Topics: topics, Store: "acme"}, server: bloomreachtest.New(),
		producer: kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{}), now: time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC),
	}
	w.Cleanup(w.server.Close)
	w.Cleanup(func() { require.NoError(t, w.producer.Close()) })
	w.define("any", "received any in 30d")
	return w
}

func (w *world) define(name, conditions string) {
	rule, err := segment.Parse(conditions)
	require.NoError(w, err)
	w.segments = slices.DeleteFunc(w.segments, func(s membership.Segment) bool { return s.Name == name })
	w.segments = append(w.segments, membership.Segment{Name: name, Rule: rule})
}

func (w *world) produce(topic, store, id string, value any) {
	record := kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(store + "/" + id)}
	if value != nil {
		encoded, err := json.Marshal(value)
		require.NoError(w, err)
		record.Value = encoded
	}
	require.NoError(w, w.producer.Produce(w.Context(), record))
}

// customer writes the row of a customer, without data for one who was erased.
func (w *world) customer(id, email string) {
	w.produce(w.source.Topics.Customers(), "acme", id, subscriber.CustomerRow{Store: "acme", RechargeCustomerID: id, Email: email})
}

// texted writes that a customer has got a text.
func (w *world) texted(id string, key flow.Key, at time.Time) {
	w.change(message.Change{ID: fmt.Sprint(id, key, at.Unix()), Store: "acme", RechargeCustomerID: id, Flow: key, Change: 1, At: at, Status: message.Accepted})
}

func (w *world) change(c message.Change) {
	w.produce(w.source.Topics.Messages(), c.Store, c.RechargeCustomerID, c)
}

// push is a push of the segments.
func (w *world) push() membership.Push {
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL: w.server.BaseURL(), ProjectToken: bloomreachtest.ProjectToken, Auth: bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret),
	})
	require.NoError(w, err)
	exclusive := kafka.NewExclusive(w.source.Cluster, w.source.Topics.Prefix+"segments", w.source.Topics.SegmentMembers())
	w.Cleanup(exclusive.Close)
	require.NoError(w, exclusive.TakeOver(w.Context()))
	return membership.Push{
		Source: w.source, Segments: w.segments, Only: w.only, Destination: updates{client},
		Former: func(id string) map[string]string { return map[string]string{"registered": id} }, Commit: exclusive.Commit,
		Profile: func(customerID, email string) membership.Profile {
			id := email
			if w.byRecharge {
				id = customerID
			}
			if id == "" {
				return membership.Profile{}
			}
			return membership.Profile{ID: id, IDs: map[string]string{"registered": id}}
		},
		Sleep: func(_ context.Context, d time.Duration) error {
			w.slept = append(w.slept, d)
			return nil
		},
	}
}

// pushed pushes a minute later.
func (w *world) pushed() membership.Pushed {
	w.Helper()
	done, err := w.tryPush()
	require.NoError(w, err)
	return done
}

func (w *world) tryPush() (membership.Pushed, error) {
	w.now = w.now.Add(time.Minute)
	return w.push().Run(w.Context(), w.now)
}

// property returns a property of a profile, nil if it was never set.
func (w *world) property(id, name string) any {
	profile, _ := w.server.Customer("registered", id)
	return profile[name]
}

func added(name string, n int) map[string]int { return map[string]int{name: n} }

func TestPush(t *testing.T) {
	w := newWorld(t)
	for i := range 120 {
		id := fmt.Sprint(i + 1)
		w.customer(id, "c"+id+"@example.com")
		if i < 110 {
			w.texted(id, flow.ChargePaid, w.now.AddDate(0, 0, -1))
		}
	}
	done := w.pushed()
	assert.Equal(t, added("any", 110), done.Added)
	assert.Empty(t, done.Removed)
	assert.LessOrEqual(t, done.Requests, 6, "full requests")
	assert.Equal(t, true, w.property("c7@example.com", "recharge_segment_any"))
	assert.Nil(t, w.property("c120@example.com", "recharge_segment_any"), "who never was a member gets nothing")

	requests := w.server.Requests()
	assert.True(t, w.pushed().IsEmpty())
	assert.Equal(t, requests, w.server.Requests(), "nothing is sent twice")

	w.texted("120", flow.ChargePaid, w.now)
	assert.Equal(t, added("any", 1), w.pushed().Added)

	w.now = w.now.AddDate(0, 0, 29).Add(time.Hour)
	done = w.pushed()
	assert.Equal(t, added("any", 110), done.Removed, "members leave with time alone")
	assert.Empty(t, done.Added)
	assert.Equal(t, false, w.property("c7@example.com", "recharge_segment_any"))
	assert.Equal(t, true, w.property("c120@example.com", "recharge_segment_any"))
	w.conform()
}

// conform checks the rows against their schema, and that those without tombstone are the members.
func (w *world) conform() {
	validator, err := schematest.New()
	require.NoError(w, err)
	records, err := kafkatest.ReadAll(w.Context(), w.source.Cluster, w.source.Topics.SegmentMembers())
	require.NoError(w, err)
	require.NotEmpty(w, records)
	for _, r := range records {
		if r.Value != nil {
			require.NoError(w, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
		}
	}
}

// Several segments of a customer are one command.
func TestSegmentsOfOneCustomer(t *testing.T) {
	w := newWorld(t)
	w.define("failed", "received charge_failed")
	w.define("none", "not received any")
	w.customer("1", "jo@example.com")
	assert.Equal(t, added("none", 1), w.pushed().Added)
	w.texted("1", flow.ChargeFailed, w.now)
	done := w.pushed()
	assert.Equal(t, map[string]int{"any": 1, "failed": 1}, done.Added)
	assert.Equal(t, added("none", 1), done.Removed)
	assert.Equal(t, 1, done.Requests)
	received := w.server.Received()
	assert.JSONEq(t, `{"recharge_segment_any":true,"recharge_segment_failed":true,"recharge_segment_none":false}`, propertiesOf(t, received[len(received)-1]))

	// One that is deleted, and one whose conditions change. Named segments leave the others alone.
	w.segments = w.segments[:2]
	w.define("failed", "clicked charge_failed")
	w.only = []string{"any"}
	assert.True(t, w.pushed().IsEmpty())
	w.only = nil
	assert.Equal(t, added("failed", 1), w.pushed().Removed)
	w.segments = nil
	assert.Equal(t, added("any", 1), w.pushed().Removed)
	assert.Equal(t, false, w.property("jo@example.com", "recharge_segment_any"))
	assert.True(t, w.pushed().IsEmpty())
}

func propertiesOf(t *testing.T, c bloomreachtest.Command) string {
	t.Helper()
	var data struct{ Properties json.RawMessage }
	require.NoError(t, json.Unmarshal(c.Data, &data))
	return string(data.Properties)
}

// Who gets another e-mail has another profile: the former one is no member any more.
func TestAnotherEmail(t *testing.T) {
	w := newWorld(t)
	w.customer("1", "jo@example.com")
	w.texted("1", flow.ChargePaid, w.now)
	w.pushed()
	w.customer("1", "joe@example.com")
	assert.Equal(t, added("any", 1), w.pushed().Added)
	assert.Equal(t, false, w.property("jo@example.com", "recharge_segment_any"))
	assert.Equal(t, true, w.property("joe@example.com", "recharge_segment_any"))
	assert.True(t, w.pushed().IsEmpty())
}

// Of customers who exchange e-mails each is a member under the new one, in whatever order they are pushed.
func TestExchangedEmails(t *testing.T) {
	w := newWorld(t)
	email := func(i int) string { return fmt.Sprintf("c%d@example.com", i) }
	for i := range 8 {
		w.customer(strconv.Itoa(i), email(i))
		w.texted(strconv.Itoa(i), flow.ChargePaid, w.now)
	}
	w.pushed()
	for i := range 8 {
		w.customer(strconv.Itoa(i), email(i^1))
	}
	w.pushed()
	for i := range 8 {
		assert.Equal(t, true, w.property(email(i), "recharge_segment_any"), email(i))
	}
	assert.True(t, w.pushed().IsEmpty())
}

// Who is deleted or erased is a member of nothing, and nothing is sent about their e-mail.
func TestForgotten(t *testing.T) {
	w := newWorld(t)
	w.define("quiet", "not clicked any")
	for _, id := range []string{"1", "2"} {
		w.customer(id, "c"+id+"@example.com")
		w.texted(id, flow.ChargePaid, w.now)
	}
	assert.Equal(t, map[string]int{"any": 2, "quiet": 2}, w.pushed().Added)
	requests := w.server.Requests()
	w.produce(w.source.Topics.Customers(), "acme", "1", nil)
	w.customer("2", "")
	assert.Equal(t, map[string]int{"any": 2, "quiet": 2}, w.pushed().Removed)
	assert.Equal(t, requests, w.server.Requests())
	assert.True(t, w.pushed().IsEmpty())
	counts, err := w.source.Count(t.Context(), w.now, w.segments[0].Rule, w.segments[1].Rule)
	require.NoError(t, err)
	assert.Equal(t, membership.Counts{Customers: 1, Members: []int{0, 0}, Strangers: 1}, counts)
}

// With Recharge's ids the profile of an erased customer stays, and is updated.
func TestErasedByRechargeID(t *testing.T) {
	w := newWorld(t)
	w.byRecharge = true
	w.customer("1", "jo@example.com")
	w.texted("1", flow.ChargePaid, w.now)
	w.pushed()
	assert.Equal(t, true, w.property("1", "recharge_segment_any"))
	w.customer("1", "")
	assert.Equal(t, added("any", 1), w.pushed().Removed)
	assert.Equal(t, false, w.property("1", "recharge_segment_any"))
}

// A customer whom Bloomreach refuses is tried again by the next push; the others are updated.
func TestRejected(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"1", "2"} {
		w.customer(id, "c"+id+"@example.com")
		w.texted(id, flow.ChargePaid, w.now)
	}
	w.server.RejectWhen(func(c bloomreachtest.Command) []string {
		if c.ID == "1-0" {
			return []string{"no such customer"}
		}
		return nil
	})
	done := w.pushed()
	assert.Equal(t, added("any", 1), done.Added)
	assert.Equal(t, 1, done.Rejected)
	assert.Equal(t, []string{"customer 1: no such customer"}, done.Errors)
	w.server.RejectWhen(func(bloomreachtest.Command) []string { return nil })
	assert.Equal(t, added("any", 1), w.pushed().Added)
}

// A push that fails is continued by the next one.
func TestFailedPushIsContinued(t *testing.T) {
	w := newWorld(t)
	for i := range 150 {
		id := fmt.Sprint(i + 1)
		w.customer(id, "c"+id+"@example.com")
		w.texted(id, flow.ChargePaid, w.now)
	}
	w.server.FailNext(2, bloomreachtest.Failure{Status: 503})
	done := w.pushed()
	assert.Equal(t, added("any", 150), done.Added, "it was sent again")
	assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, w.slept)

	w.now = w.now.AddDate(0, 0, 31)
	push := w.push()
	calls := 0
	push.Destination = failing{push.Destination, func() bool { calls++; return calls > 1 }}
	w.now = w.now.Add(time.Minute)
	first, err := push.Run(t.Context(), w.now)
	require.ErrorIs(t, err, errDown)
	second := w.pushed()
	assert.Positive(t, first.Removed["any"])
	assert.Positive(t, second.Removed["any"])
	assert.Equal(t, 150, first.Removed["any"]+second.Removed["any"], "each is updated once")

	exclusive := w.push() // takes over
	_, err = push.Run(t.Context(), w.now)
	require.NoError(t, err, "nothing to write")
	w.texted("1", flow.ChargePaid, w.now)
	calls = -5
	_, err = push.Run(t.Context(), w.now.Add(time.Second))
	require.Error(t, err, "another process has taken over")
	done, err = exclusive.Run(t.Context(), w.now.Add(time.Minute))
	require.NoError(t, err)
	assert.Equal(t, added("any", 1), done.Added)
}

var errDown = errors.New("down")

// updates is a project as a destination.
type updates struct{ client *bloomreach.Client }

func (u updates) Update(ctx context.Context, list []membership.Update) ([]membership.Answer, error) {
	var commands []bloomreach.Command
	for _, each := range list {
		var properties bloomreach.Properties
		for _, name := range slices.Sorted(maps.Keys(each.Properties)) {
			properties.Flag(name, each.Properties[name])
		}
		command, err := bloomreach.NewCustomerUpdate(each.ID, bloomreach.CustomerUpdate{CustomerIDs: each.CustomerIDs, Properties: properties, UpdateTimestamp: bloomreach.UnixSeconds(each.At)})
		if err != nil {
			return nil, err
		}
		commands = append(commands, command)
	}
	results, err := u.client.Batch(ctx, commands)
	var answers []membership.Answer
	for _, r := range results {
		answers = append(answers, membership.Answer{Accepted: r.Outcome == bloomreach.Accepted, Refused: r.Errors})
	}
	if err != nil {
		err = &membership.TryAgainError{Err: err}
	}
	return answers, err
}

// failing is a destination that fails at times.
type failing struct {
	membership.Destination
	fails func() bool
}

func (f failing) Update(ctx context.Context, updates []membership.Update) ([]membership.Answer, error) {
	if f.fails() {
		return nil, errDown
	}
	return f.Destination.Update(ctx, updates)
}

// A dry run sends and writes nothing.
func TestDryRun(t *testing.T) {
	w := newWorld(t)
	w.customer("1", "jo@example.com")
	w.texted("1", flow.ChargePaid, w.now)
	push := w.push()
	push.Destination, push.Commit = nil, nil
	for range 2 {
		done, err := push.Run(t.Context(), w.now)
		require.NoError(t, err)
		assert.Equal(t, added("any", 1), done.Added)
	}
	assert.Zero(t, w.server.Requests())
}

// Members are those of the store, in the order of their IDs in each partition.
func TestMembers(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		id := fmt.Sprint(i + 1)
		w.customer(id, "c"+id+"@example.com")
		w.texted(id, flow.ChargePaid, w.now)
	}
	w.produce(w.source.Topics.Customers(), "acme-2", "1", subscriber.CustomerRow{Store: "acme-2", RechargeCustomerID: "1", Email: "jo@example.com"})
	w.change(message.Change{ID: "x", Store: "acme-2", RechargeCustomerID: "1", Flow: flow.ChargePaid, Change: 1, At: w.now, Status: message.Sent})
	var ids []string
	err := w.source.Members(t.Context(), w.now, w.segments[0].Rule, func(row subscriber.CustomerRow) error {
		ids = append(ids, row.RechargeCustomerID)
		return nil
	})
	require.NoError(t, err)
	assert.Len(t, ids, 30)
	err = w.source.Members(t.Context(), w.now, w.segments[0].Rule, func(subscriber.CustomerRow) error { return errDown })
	require.ErrorIs(t, err, errDown)
	w.produce(w.source.Topics.Messages(), "acme", "1", "not a change")
	_, err = w.source.Count(t.Context(), w.now)
	require.ErrorContains(t, err, "decode message")
}
