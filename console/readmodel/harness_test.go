package readmodel_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const partitions = 4

// shop writes to the topics of a test.
type shop struct {
	testing.TB

	topology.Topics
	cluster  kafka.Cluster
	producer *kafka.Producer
	now      time.Time
	patience time.Duration // how long the topics may take
}

func newShop(t testing.TB, b kafkatest.Broker) *shop {
	t.Helper()
	s := &shop{TB: t, Topics: topology.Topics{Prefix: kafkatest.Topic(t, b.Addr(), 1) + "."}, cluster: b.Cluster(), now: time.Now().UTC().Truncate(time.Minute), patience: 2 * time.Minute}
	s.create()
	s.producer = kafka.NewProducer(s.cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, s.producer.Close()) })
	return s
}

// create creates all topics that do not exist.
func (s *shop) create() {
	s.Helper()
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: s.Prefix, SingleBroker: true, Partitions: partitions})
	require.NoError(s, err)
	_, err = admin.Apply(s.Context(), s.cluster, spec)
	require.NoError(s, err)
}

func (s *shop) config(dir string) readmodel.Config {
	return readmodel.Config{
		Dir: dir, Cluster: s.cluster, Topics: s.Topics, Every: 20 * time.Millisecond, Now: func() time.Time { return s.now },
		Log: zap.NewNop(),
	}
}

// running is a read model that follows the topics.
type running struct {
	*readmodel.Model
	s     *shop
	close func()
}

// run opens a read model and waits until it has read the topics.
func (s *shop) run(dir string) running {
	s.Helper()
	return s.runWith(s.config(dir))
}

func (s *shop) runWith(config readmodel.Config) running {
	s.Helper()
	m, err := readmodel.Open(config)
	require.NoError(s, err)
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	closed := false
	r := running{Model: m, s: s, close: func() {
		if !closed {
			closed = true
			cancel()
			require.NoError(s, <-ended)
			require.NoError(s, m.Close())
		}
	}}
	s.Cleanup(r.close)
	r.await()
	return r
}

// await waits until everything that was written is read.
func (r running) await() {
	r.s.Helper()
	want := r.s.offsets()
	require.Eventually(r.s, func() bool {
		p := r.Progress()
		return p.CaughtUp && p.Behind == 0 && p.Read >= want
	}, r.s.patience, 5*time.Millisecond)
}

// offsets is how many there are that a read model of an empty directory reads.
func (s *shop) offsets() (sum int64) {
	s.Helper()
	for _, topic := range s.read() {
		reader, err := kafka.NewTopicReader(s.cluster, topic)
		require.NoError(s, err)
		all, err := reader.Partitions(s.Context())
		require.NoError(s, err)
		ranges, err := reader.OffsetRangesSince(s.Context(), s.since(topic), all...)
		require.NoError(s, err)
		for _, part := range ranges {
			sum += part.End - part.First
		}
		reader.Close()
	}
	return sum
}

// since is from when on a topic is read.
func (s *shop) since(topic string) time.Time {
	switch topic {
	case s.Messages(), s.MessageTexts(), s.Customers(), s.Subscriptions(), s.Charges():
		return time.Time{}
	}
	return s.now.Add(-90 * 24 * time.Hour).Truncate(time.Hour)
}

// read are the topics that the read model reads.
func (s *shop) read() []string {
	all := []string{s.Events(), s.Facts(), s.Messages(), s.MessageTexts(), s.Customers(), s.Subscriptions(), s.Charges()}
	for _, role := range topology.Consumers() {
		all = append(all, s.DeadLetters(role), s.Redrive(role))
	}
	return all
}

func (s *shop) write(records ...kafka.Record) {
	s.Helper()
	require.NoError(s, s.producer.Produce(s.Context(), records...))
}

// record is a record of a customer, whose value is encoded.
func record(topic, key string, at time.Time, value any, headers ...kafka.Header) kafka.Record {
	r := kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(key), Time: at, Headers: headers}
	if value != nil {
		r.Value, _ = json.Marshal(value)
	}
	return r
}

// hash returns an ID, as many hexadecimal digits as given.
func hash(digits int, parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return hex.EncodeToString(sum[:])[:digits]
}

// content is all that queries return, as JSON by query.
func (r running) content() map[string]string {
	r.s.Helper()
	out := map[string]string{}
	put := func(name string, value any, err error) {
		r.s.Helper()
		require.NoError(r.s, err, name)
		encoded, err := json.Marshal(value)
		require.NoError(r.s, err)
		out[name] = string(encoded)
	}
	ctx := r.s.Context()
	types, err := r.EventTypes(ctx, "")
	put("types", types, err)
	counts, err := r.DeadLetterCounts(ctx, "")
	put("counts", counts, err)
	events := pages(r.s, func(after string) (readmodel.Page[readmodel.Event], error) {
		return r.Events(ctx, readmodel.EventFilter{Facts: true, After: after, Limit: 100})
	})
	put("events", events, nil)
	put("letters", pages(r.s, func(after string) (readmodel.Page[readmodel.DeadLetter], error) {
		return r.DeadLetters(ctx, readmodel.DeadLetterFilter{After: after, Limit: 10})
	}), nil)
	for _, store := range []string{"acme", "beta"} {
		overview, err := r.Overview(ctx, store, r.s.now.Add(-24*time.Hour))
		put("overview "+store, overview, err)
		flows, err := r.Flows(ctx, store, r.s.now.AddDate(0, 0, -7), time.UTC)
		put("flows "+store, flows, err)
		texts := pages(r.s, func(after string) (readmodel.Page[readmodel.Text], error) {
			return r.Texts(ctx, readmodel.TextFilter{Store: store, After: after, Limit: 10})
		})
		put("texts "+store, texts, nil)
		for _, t := range texts {
			life, err := r.Text(ctx, t.ID)
			put("text "+t.ID, life, err)
		}
		for id := range customers {
			page, err := r.Customer(ctx, store, strconv.Itoa(1000+id), 1000)
			if err != nil {
				require.ErrorIs(r.s, err, readmodel.ErrNotFound)
				continue
			}
			put("customer "+store+strconv.Itoa(id), page, nil)
		}
		for _, query := range []string{"jo", "ready", "5550"} {
			found, err := r.Customers(ctx, store, query, 1000)
			put("customers "+store+query, len(found), err)
			texts := pages(r.s, func(after string) (readmodel.Page[readmodel.Text], error) {
				return r.Texts(ctx, readmodel.TextFilter{Store: store, Query: query, After: after, Limit: 10})
			})
			put("search "+store+query, texts, nil)
		}
	}
	return out
}

// pages returns the rows of all pages.
func pages[T any](t testing.TB, get func(after string) (readmodel.Page[T], error)) (all []T) {
	t.Helper()
	for after := ""; ; {
		page, err := get(after)
		require.NoError(t, err)
		all = append(all, page.Rows...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

const customers = 12

// anything returns records of all topics, in the order in which they are written.
func (s *shop) anything(rng *rand.Rand, n int) (records []kafka.Record) {
	for i := range n {
		store, id := []string{"acme", "acme", "acme", "beta"}[rng.IntN(4)], strconv.Itoa(1000+rng.IntN(customers))
		key, at := store+"/"+id, s.now.Add(-time.Duration(rng.IntN(40*24*3600))*time.Second)
		switch rng.IntN(8) {
		case 0:
			row := subscriber.CustomerRow{Store: store, RechargeCustomerID: id, Email: "jo" + id + "@example.com", FirstName: "Jo", LastName: "Öz" + id, Phone: "(415) 555-" + id, UpdatedAt: at}
			switch rng.IntN(6) {
			case 0:
				records = append(records, record(s.Customers(), key, at, nil))
				continue
			case 1: // erased
				row.Email, row.FirstName, row.LastName, row.Phone = "", "", "", ""
			}
			records = append(records, record(s.Customers(), key, at, row))
		case 1:
			sub := subscriber.SubscriptionRow{Store: store, RechargeCustomerID: id, Status: "active", Subscription: subscriber.Subscription{ID: id + strconv.Itoa(rng.IntN(3)), ProductTitle: "Coffee", UpdatedAt: at}}
			records = append(records, s.row(s.Subscriptions(), key, sub.ID, at, sub, rng.IntN(5) == 0))
			charge := subscriber.ChargeRow{Store: store, RechargeCustomerID: id, Status: "queued", Charge: subscriber.Charge{ID: id + strconv.Itoa(rng.IntN(3)), UpdatedAt: at, Items: []subscriber.Item{{Title: "Tea"}}}}
			records = append(records, s.row(s.Charges(), key, charge.ID, at, charge, rng.IntN(5) == 0))
		case 2, 3:
			records = append(records, s.text(rng, store, id, i, at)...)
		case 4:
			records = append(records, s.letter(rng, store, id, at))
		case 5:
			records = append(records, record(s.Facts(), key, at, subscriber.Event{
				ID: hash(32, "fact", rng.Uint64()), Type: subscriber.EventSubscription, Status: "paused", Store: store, OccurredAt: at, RechargeCustomerID: id, Subscription: &subscriber.Subscription{ID: id + "1"},
			}))
		default:
			records = append(records, record(s.Events(), key, at, subscriber.Event{
				ID: hash(32, "event", rng.Uint64()), Type: subscriber.EventCharge, Status: []string{"created", "paid"}[rng.IntN(2)], Store: store, OccurredAt: at, RechargeCustomerID: id,
				Charge: &subscriber.Charge{ID: id + "2", TotalPrice: "12.50", Currency: "USD", Items: []subscriber.Item{{Title: "Tea"}}},
			}))
		}
	}
	return records
}

// row is a row with an ID, or its tombstone. Its partition is that of the customer.
func (s *shop) row(topic, key, id string, at time.Time, value any, removed bool) kafka.Record {
	if removed {
		value = nil
	}
	r := record(topic, key+"/"+id, at, value)
	r.Partition = kafka.PartitionCount{}.Of([]byte(key), partitions)
	return r
}

// text is the life of a text.
func (s *shop) text(rng *rand.Rand, store, id string, n int, at time.Time) (records []kafka.Record) {
	key, text := store+"/"+id, hash(64, "text", rng.Uint64())
	c := message.Change{
		ID: text, Store: store, RechargeCustomerID: id, Flow: []flow.Key{flow.ChargePaid, flow.OrderProcessed}[rng.IntN(2)], Cause: "cause", At: at, Status: message.Planned,
		Triggers: []message.ChangeTrigger{{ID: hash(32, n), Flow: flow.ChargePaid, OccurredAt: at, Items: []string{"charge/" + id + "2"}}}, ReleaseAt: at.Add(time.Minute),
	}
	change := func(status message.Status) {
		c.Change++
		c.Status, c.At = status, c.At.Add(time.Minute)
		records = append(records, record(s.Messages(), key, c.At, c))
	}
	change(message.Planned)
	if rng.IntN(4) == 0 {
		return records
	}
	if rng.IntN(4) == 0 {
		c.Reason = []reason.Reason{reason.Merged, reason.NoPhone}[rng.IntN(2)]
		change(message.Suppressed)
		return records
	}
	c.Attempt = 1
	change(message.Claimed)
	body := message.Text{ID: text, Store: store, RechargeCustomerID: id, Flow: c.Flow, ClaimedAt: c.At, To: "+14*******50", Text: fmt.Sprintf("Hi Jo, your order %d is ready", n), Segments: 1}
	records = append(records, s.row(s.MessageTexts(), key, text, c.At, body, false))
	c.ProviderID = "SM" + strconv.Itoa(n)
	change([]message.Status{message.Accepted, message.Unknown, message.Rejected}[rng.IntN(3)])
	if c.Status == message.Accepted {
		change(message.Delivered)
		if rng.IntN(2) == 0 {
			c.ClickedAt = c.At
			change(message.Delivered)
		}
	}
	if rng.IntN(5) == 0 {
		records = append(records, s.row(s.MessageTexts(), key, text, c.At, nil, true))
	}
	return records
}

// letter is a dead letter, or a redriven one.
func (s *shop) letter(rng *rand.Rand, store, id string, at time.Time) kafka.Record {
	role := topology.Consumers()[rng.IntN(len(topology.Consumers()))]
	key := store + "/" + id
	if rng.IntN(3) == 0 {
		key = store + "/charge/" + id + "1"
	}
	original := record(s.Webhooks(), key, at, map[string]string{"email": "jo@example.com"}, envelope.Header(envelope.HeaderStore, store), envelope.Header(envelope.HeaderRechargeTopic, "charge/paid"))
	original.Partition = rng.IntN(partitions)
	letter := deadletter.Read(original).Rejected(string(role), []string{"malformed", "refused"}[rng.IntN(2)], "jo@example.com: no", at).To(s.DeadLetters(role))
	letter.Time = at
	if rng.IntN(3) == 0 {
		letter.Offset = rng.Int64N(4)
		again := deadletter.Redrive(letter, s.Redrive(role))
		again.Time = at
		return again
	}
	return letter
}
