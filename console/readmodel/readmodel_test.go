package readmodel_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func newRNG(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) } //nolint:gosec // a simulation

// jo is a customer with a text, a subscription, a charge, an event, a fact and two dead letters.
func (s *shop) jo(at time.Time) (text string) {
	s.Helper()
	text = hash(64, "jo's text")
	active := true
	planned := message.Change{
		ID: text, Store: "acme", RechargeCustomerID: "42", Flow: flow.ChargePaid, Cause: "acme/42/charge_paid", Change: 1, At: at, Status: message.Planned,
		Triggers: []message.ChangeTrigger{{ID: "t", Flow: flow.ChargePaid, OccurredAt: at, Items: []string{"charge/7"}}}, ReleaseAt: at.Add(time.Minute),
	}
	failed := planned
	failed.Change, failed.At, failed.Status, failed.Attempt = 2, at.Add(time.Minute), message.Rejected, 1
	failed.Code, failed.Error, failed.ProviderID = "http_422", "no such number +14155550123", "SM1"
	letter := func(key string, offset int64) kafka.Record {
		original := kafka.Record{Topic: s.Webhooks(), Partition: 2, Offset: offset, Key: []byte(key), Value: []byte("{"), Time: at, Headers: []kafka.Header{
			envelope.Header(envelope.HeaderRechargeTopic, "charge/paid"), envelope.Header(envelope.HeaderStore, "acme"),
		}}
		l := deadletter.Read(original).Rejected("transformer", "malformed", "no JSON: jo@example.com", at).To(s.DeadLetters(topology.RoleTransformer))
		l.Time = at.Add(time.Duration(offset) * time.Second)
		return l
	}
	redriven := deadletter.Redrive(letter("acme/42", 5), s.Redrive(topology.RoleTransformer))
	redriven.Time = at.Add(time.Hour)
	s.write(
		record(s.Customers(), "acme/42", at, subscriber.CustomerRow{
			Store: "acme", RechargeCustomerID: "42", Email: "jo@example.com", FirstName: "Jörg", LastName: "O'Neill", Phone: "(415) 555-0123",
			PlatformID: "9", SubscriptionActive: &active, CreatedAt: at, UpdatedAt: at,
		}),
		record(s.Subscriptions(), "acme/42/6", at, subscriber.SubscriptionRow{Store: "acme", RechargeCustomerID: "42", Status: "canceled", Subscription: subscriber.Subscription{
			ID: "6", ProductTitle: "Coffee", Price: "12.00", Currency: "USD", Quantity: 2, IntervalUnit: "month", OrderInterval: 1, NextChargeDate: recharge.Date("2026-04-01"),
			CancellationReasonComments: "call me at jo@example.com", CanceledAt: at, UpdatedAt: at,
		}}),
		record(s.Charges(), "acme/42/7", at, subscriber.ChargeRow{Store: "acme", RechargeCustomerID: "42", Status: "success", Charge: subscriber.Charge{
			ID: "7", TotalPrice: "24.00", Currency: "USD", ProcessedAt: at, UpdatedAt: at, Items: []subscriber.Item{{Title: "Coffee"}, {Title: "Tea"}},
		}}),
		record(s.Messages(), "acme/42", at, planned),
		record(s.Messages(), "acme/42", at, failed),
		record(s.MessageTexts(), "acme/42/"+text, at, message.Text{
			ID: text, Store: "acme", RechargeCustomerID: "42", Flow: flow.ChargePaid, ClaimedAt: at, To: "+14*******23", From: "+12*******00", Text: "Hi Jörg, crème brûlée is on its way",
			Masked: "Hi J***, crème brûlée is on its way", Segments: 1,
		}),
		record(s.Events(), "acme/42", at, subscriber.Event{
			ID: hash(32, "paid"), Type: subscriber.EventCharge, Status: subscriber.StatusPaid, Store: "acme", OccurredAt: at.Add(-time.Second), RechargeCustomerID: "42", Email: "jo@example.com",
			PortalLink: "sealed-portal-link", Charge: &subscriber.Charge{ID: "7", TotalPrice: "24.00", Currency: "USD", Items: []subscriber.Item{{Title: "Coffee"}}},
		}),
		record(s.Events(), "acme/42", at.Add(time.Second), subscriber.Event{
			ID: hash(32, "changed"), Type: subscriber.EventCustomerChange, Store: "acme", OccurredAt: at, RechargeCustomerID: "42", Email: "jo@example.com",
			Customer: &subscriber.Customer{Changed: []string{"email", "phone"}, OldEmail: "old@example.com", Email: "jo@example.com", Phone: "(415) 555-0123"},
		}),
		record(s.Facts(), "acme/42", at, subscriber.Event{
			ID: hash(32, "skipped"), Type: subscriber.EventSubscription, Status: "skipped", Store: "acme", OccurredAt: at, RechargeCustomerID: "42",
			Subscription: &subscriber.Subscription{ID: "6", ProductTitle: "Coffee"},
		}),
		letter("acme/42", 5), letter("acme/charge/7", 6), redriven,
	)
	return text
}

// Queries return what the topics have.
func TestQueries(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	at := s.now.Add(-time.Hour)
	text := s.jo(at)
	m := s.run(t.TempDir())
	ctx := t.Context()

	page, err := m.Customer(ctx, "acme", "42", 0)
	require.NoError(t, err)
	active := true
	assert.Equal(t, readmodel.Customer{
		Store: "acme", ID: "42", Email: "jo@example.com", FirstName: "Jörg", LastName: "O'Neill", Phone: "(415) 555-0123", PlatformID: "9", SubscriptionActive: &active,
		CreatedAt: at, UpdatedAt: at,
	}, page.Customer)
	assert.True(t, page.Known)
	assert.Equal(t, []readmodel.Subscription{{
		ID: "6", Status: "canceled", ProductTitle: "Coffee", Price: "12.00", Currency: "USD", Quantity: 2, IntervalUnit: "month", OrderInterval: 1, NextChargeDate: "2026-04-01",
		CanceledAt: at, UpdatedAt: at,
	}}, page.Subscriptions)
	assert.Equal(t, []readmodel.Charge{{ID: "7", Status: "success", TotalPrice: "24.00", Currency: "USD", Titles: []string{"Coffee", "Tea"}, ProcessedAt: at, UpdatedAt: at}}, page.Charges)
	require.Len(t, page.Events, 2)
	assert.Equal(t, "email, phone", page.Events[0].Detail)
	paid := page.Events[1]
	assert.Equal(t, readmodel.Event{
		At: at, OccurredAt: at.Add(-time.Second), Store: "acme", Customer: "42", ID: hash(32, "paid"), Type: "subscription_charge", Status: "paid", About: "charge/7", Detail: "Coffee",
		Amount: "24.00", Currency: "USD", Place: readmodel.Place{Topic: s.Events(), Partition: kafka.PartitionCount{}.Of([]byte("acme/42"), partitions)},
	}, paid)
	value, err := kafka.ReadRecord(ctx, s.cluster, paid.Place.Topic, paid.Place.Partition, paid.Place.Offset)
	require.NoError(t, err)
	assert.Contains(t, string(value.Value), paid.ID)
	require.Len(t, page.Facts, 1)
	assert.Equal(t, s.Facts(), page.Facts[0].Place.Topic)
	require.Len(t, page.DeadLetters, 2, "the letter of the charge is the customer's")
	assert.Equal(t, "charge/7", page.DeadLetters[0].About)
	assert.Zero(t, page.DeadLetters[0].ReplayedAt)
	assert.Equal(t, "no JSON: j***@example.com", page.DeadLetters[1].Error)

	life, err := m.Text(ctx, text)
	require.NoError(t, err)
	assert.Equal(t, []readmodel.Text{life.Text}, page.Texts)
	assert.Equal(t, readmodel.Text{
		ID: text, Store: "acme", Customer: "42", Flow: flow.ChargePaid, Status: message.Rejected, PlannedAt: at, StatusAt: at.Add(time.Minute), ChangedAt: at.Add(time.Minute),
		ReleaseAt: at.Add(time.Minute), Attempt: 1, ProviderID: "SM1", Code: "http_422", Error: "no such number +14*******23", To: "+14*******23", From: "+12*******00",
		Body: "Hi Jörg, crème brûlée is on its way", Masked: "Hi J***, crème brûlée is on its way", Segments: 1,
	}, life.Text)
	require.Len(t, life.Changes, 2)
	assert.Equal(t, message.Planned, life.Changes[0].Status)
	assert.Equal(t, []message.ChangeTrigger{{ID: "t", Flow: flow.ChargePaid, OccurredAt: at, Items: []string{"charge/7"}}}, life.Triggers)
	_, err = m.Text(ctx, hash(64, "another"))
	require.ErrorIs(t, err, readmodel.ErrNotFound)
	_, err = m.Text(ctx, "no id")
	require.ErrorIs(t, err, readmodel.ErrNotFound)
	_, err = m.Customer(ctx, "beta", "42", 0)
	require.ErrorIs(t, err, readmodel.ErrNotFound)

	overview, err := m.Overview(ctx, "acme", s.now.Add(-24*time.Hour))
	require.NoError(t, err)
	assert.Equal(t, readmodel.Overview{
		Since: s.now.Add(-24 * time.Hour),
		Events: []readmodel.EventCount{
			{Type: "customer_change", Count: 1}, {Type: "subscription_charge", Status: "paid", Count: 1}, {Fact: true, Type: "subscription", Status: "skipped", Count: 1},
		},
		Texts: map[message.Status]int64{message.Rejected: 1}, DeadLetters: 2, OpenDeadLetters: 1,
	}, overview)
	none, err := m.Overview(ctx, "acme", s.now)
	require.NoError(t, err)
	assert.Empty(t, none.Events)
	assert.Empty(t, none.Texts)

	types, err := m.EventTypes(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, types, 3)
	assert.Equal(t, readmodel.EventType{Store: "acme", Type: "subscription_charge", Status: "paid", Count: 1, Example: paid}, types[1])

	letters, err := m.DeadLetters(ctx, readmodel.DeadLetterFilter{Role: topology.RoleTransformer, Store: "acme", Reason: "malformed", Open: true})
	require.NoError(t, err)
	require.Len(t, letters.Rows, 1)
	assert.Equal(t, readmodel.Place{Topic: s.Webhooks(), Partition: 2, Offset: 6}, letters.Rows[0].Origin)
	counts, err := m.DeadLetterCounts(ctx, "acme")
	require.NoError(t, err)
	assert.Equal(t, []readmodel.DeadLetterCount{{Role: "transformer", Store: "acme", Reason: "malformed", Open: 1, Replayed: 1, LastAt: at.Add(6 * time.Second)}}, counts)
}

// Texts and customers are found by whatever is known of them, also by what has a meaning in queries of SQL or FTS5.
func TestSearch(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	at := s.now.Add(-time.Hour)
	text := s.jo(at)
	s.write(s.anything(newRNG(1), 200)...)
	m := s.run(t.TempDir())
	ctx := t.Context()
	for _, query := range []string{
		"42", "jo@example.com", "JO@example.com", "jo@exam", "jörg", "Jorg", "O'Neill", "jörg o'neill", "+1 415 555 0123", "5550123", "0123", "creme brulee", "brûl", "jörg crème",
	} {
		found, err := m.Texts(ctx, readmodel.TextFilter{Store: "acme", Query: query})
		require.NoError(t, err, query)
		ids := []string{}
		for _, row := range found.Rows {
			ids = append(ids, row.ID)
		}
		assert.Contains(t, ids, text, query)
		found, err = m.Texts(ctx, readmodel.TextFilter{Store: "beta", Query: query})
		require.NoError(t, err, query)
		for _, row := range found.Rows {
			assert.Equal(t, "beta", row.Store)
		}
	}
	for _, query := range []string{"42", "jo@example.com", "jörg", "O'Neill", "5550123", strings.Repeat("jörg ", 8) + "and who else is looked for"} {
		found, err := m.Customers(ctx, "acme", query, 0)
		require.NoError(t, err, query)
		require.NotEmpty(t, found, query)
		assert.Equal(t, "42", found[0].ID, query)
	}
	for _, query := range []string{`"`, `'`, "*", "OR", "NOT", "a AND", "(", "words:x", "^", "☺", "\x00a\x00", "-", "%", "a\"b", "scope : store1", strings.Repeat("a ", 500), strings.Repeat("ä", 5000), "{", "NEAR(a b)"} {
		found, err := m.Texts(ctx, readmodel.TextFilter{Store: "acme", Query: query})
		require.NoError(t, err, query)
		assert.NotContains(t, found.Rows, text)
		_, err = m.Customers(ctx, "acme", query, 0)
		require.NoError(t, err, query)
	}
	for _, none := range []readmodel.TextFilter{
		{Flow: flow.OrderProcessed}, {Status: message.Sent}, {Since: at.Add(time.Hour)}, {Until: at.Add(time.Minute)}, {Customer: "43"}, {Query: "chocolate"}, {Store: "beta"}, {Query: "42 chocolate"},
	} {
		if none.Store == "" {
			none.Store = "acme"
		}
		if none.Customer == "" {
			none.Customer = "42"
		}
		found, err := m.Texts(ctx, none)
		require.NoError(t, err)
		assert.Empty(t, found.Rows, "%+v", none)
	}
	found, err := m.Texts(ctx, readmodel.TextFilter{Store: "acme", Query: "brûlée", Customer: "42", Flow: flow.ChargePaid, Status: message.Rejected, Since: at, Until: at.Add(time.Hour)})
	require.NoError(t, err)
	assert.Len(t, found.Rows, 1)
}

// Pages have each row once, newest first, whatever their size.
func TestPages(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	s.write(s.anything(newRNG(2), 600)...)
	m := s.run(t.TempDir())
	ctx := t.Context()
	all := 0
	for _, facts := range []bool{false, true} {
		want := pages(t, func(after string) (readmodel.Page[readmodel.Event], error) {
			return m.Events(ctx, readmodel.EventFilter{Facts: facts, After: after, Limit: 1000})
		})
		for _, limit := range []int{1, 7, 50} {
			got := pages(t, func(after string) (readmodel.Page[readmodel.Event], error) {
				return m.Events(ctx, readmodel.EventFilter{Facts: facts, After: after, Limit: limit})
			})
			assert.Equal(t, want, got)
		}
		for i := 1; i < len(want); i++ {
			assert.False(t, want[i].At.After(want[i-1].At))
		}
		assert.Greater(t, len(want), all)
		all = len(want)
	}
	types, err := m.EventTypes(ctx, "")
	require.NoError(t, err)
	sum := 0
	for _, k := range types {
		rows := pages(t, func(after string) (readmodel.Page[readmodel.Event], error) {
			return m.Events(ctx, readmodel.EventFilter{Store: k.Store, Type: k.Type, Status: k.Status, Facts: true, After: after, Limit: 20})
		})
		assert.Len(t, rows, int(k.Count))
		assert.Equal(t, rows[0], k.Example)
		sum += len(rows)
	}
	assert.Equal(t, all, sum)
	for _, f := range []readmodel.TextFilter{{Store: "acme"}, {Store: "acme", Status: message.Delivered}, {Store: "acme", Query: "jo"}} {
		f.Limit = 1000
		want, err := m.Texts(ctx, f)
		require.NoError(t, err)
		require.NotEmpty(t, want.Rows)
		f.Limit = 3
		assert.Equal(t, want.Rows, pages(t, func(after string) (readmodel.Page[readmodel.Text], error) {
			f.After = after
			return m.Texts(ctx, f)
		}))
	}
	_, err = m.Events(ctx, readmodel.EventFilter{After: "x"})
	require.ErrorIs(t, err, readmodel.ErrCursor)
	_, err = m.DeadLetters(ctx, readmodel.DeadLetterFilter{After: "????"})
	require.ErrorIs(t, err, readmodel.ErrCursor)
}

// What tombstones delete, and what is not stored, is not in the files. Only their owner can read them.
func TestPersonalData(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	at, dir := s.now.Add(-time.Hour), t.TempDir()
	text := s.jo(at)
	s.write(s.anything(newRNG(3), 200)...)
	m := s.run(dir)
	m.close()
	has := func(words string) bool {
		files, err := filepath.Glob(filepath.Join(dir, "readmodel*"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			if bytes.Contains(bytes.ToLower(content), []byte(words)) {
				return true
			}
		}
		return false
	}
	for _, kept := range []string{"jo@example.com", "neill", "brul", "crème", "555-0123", "3210555"} {
		assert.True(t, has(kept), kept)
	}
	for _, never := range []string{"old@example.com", "sealed-portal-link", "call me", "+14155550123"} {
		assert.False(t, has(never), never)
	}
	erased := subscriber.CustomerRow{Store: "acme", RechargeCustomerID: "42", PlatformID: "9", UpdatedAt: at}
	s.write(
		record(s.Customers(), "acme/42", at, erased), record(s.MessageTexts(), "acme/42/"+text, at, nil),
		record(s.Subscriptions(), "acme/42/6", at, nil), record(s.Charges(), "acme/42/7", at, nil),
	)
	m = s.run(dir)
	page, err := m.Customer(t.Context(), "acme", "42", 0)
	require.NoError(t, err)
	assert.Equal(t, readmodel.Customer{Store: "acme", ID: "42", PlatformID: "9", UpdatedAt: at}, page.Customer)
	assert.Empty(t, page.Texts[0].Body)
	assert.Empty(t, page.Subscriptions)
	found, err := m.Texts(t.Context(), readmodel.TextFilter{Store: "acme", Query: "brulee"})
	require.NoError(t, err)
	assert.Empty(t, found.Rows)
	m.close()
	for _, erased := range []string{"neill", "brul", "crème", "555-0123", "3210555"} {
		assert.False(t, has(erased), erased)
	}
	s.write(record(s.Customers(), "acme/42", at, nil))
	m = s.run(dir)
	page, err = m.Customer(t.Context(), "acme", "42", 0)
	require.NoError(t, err)
	assert.False(t, page.Known)
}

// Rows that are older than the retention go, and those that count them.
func TestRetention(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	s.write(s.anything(newRNG(4), 400)...)
	dir := t.TempDir()
	m := s.run(dir)
	before, err := m.Events(t.Context(), readmodel.EventFilter{Facts: true, Limit: 1000})
	require.NoError(t, err)
	require.Greater(t, len(before.Rows), 50)
	m.close()

	s.now = s.now.AddDate(0, 0, 70) // events are up to 40 days old: some of 110 days, which is above 90
	m = s.run(dir)
	after, err := m.Events(t.Context(), readmodel.EventFilter{Facts: true, Limit: 1000})
	require.NoError(t, err)
	require.NotEmpty(t, after.Rows)
	require.Less(t, len(after.Rows), len(before.Rows))
	types, err := m.EventTypes(t.Context(), "")
	require.NoError(t, err)
	sum := 0
	for _, k := range types {
		sum += int(k.Count)
	}
	assert.Len(t, after.Rows, sum)
	pruned := m.content()
	m.close()
	m = s.run(t.TempDir())
	assert.Equal(t, pruned, m.content(), "the same as built again")
	m.close()

	s.now = s.now.AddDate(2, 0, 0)
	m = s.run(dir)
	for name, value := range m.content() {
		switch {
		case strings.HasPrefix(name, "overview"):
			assert.Contains(t, value, `"events":[],"texts":{},"dead_letters":0,"open_dead_letters":0,"waiting":0,"unknown":0}`)
		case strings.HasPrefix(name, "customer "):
			assert.Contains(t, value, `"charges":[],"texts":[],"events":[],"facts":[],"dead_letters":[]}`)
		case !strings.HasPrefix(name, "customers"):
			assert.Contains(t, []string{"null", "[]"}, value, name)
		}
	}
}

// One process uses a directory.
func TestLock(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	dir := t.TempDir()
	m := s.run(dir)
	_, err := readmodel.Open(s.config(dir))
	require.ErrorIs(t, err, dirlock.ErrLocked)
	m.close()
	s.run(dir).close()
}

// Subscribers get rows as they come, of their store. The stream of one that is too slow is closed.
func TestSubscribe(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	s.write(s.anything(newRNG(5), 50)...)
	m := s.run(t.TempDir())
	acme, beta, slow := m.Subscribe("acme"), m.Subscribe("beta"), m.Subscribe("")
	defer acme.Close()
	defer beta.Close()
	text := s.jo(s.now)
	events, letters, texts := 0, 0, 0
	for events < 3 || letters < 2 || texts < 1 {
		row, ok := <-acme.C
		require.True(t, ok)
		switch {
		case row.Event != nil:
			events++
			assert.Equal(t, "42", row.Event.Customer)
		case row.DeadLetter != nil:
			letters++
		default:
			texts++
			assert.Equal(t, text, row.Text.ID)
		}
	}
	m.await()
	select {
	case row := <-beta.C:
		t.Errorf("%+v", row)
	default:
	}
	for i := range 30 {
		s.write(s.anything(newRNG(uint64(100+i)), 100)...)
		m.await()
	}
	for range slow.C { // ends
	}
	slow.Close()
}

// A search ends when it takes too long.
func TestSlowSearch(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	s.jo(s.now)
	config := s.config(t.TempDir())
	config.Patience = time.Nanosecond
	m := s.runWith(config)
	_, err := m.Texts(t.Context(), readmodel.TextFilter{Store: "acme", Query: "a"})
	require.ErrorIs(t, err, readmodel.ErrSlow)
	_, err = m.Customers(t.Context(), "acme", "a", 0)
	require.ErrorIs(t, err, readmodel.ErrSlow)
}

// A record that cannot be read is left out, and does not stop anything.
func TestUnreadable(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	for _, topic := range s.read() {
		for _, key := range []string{"", "acme", "acme/42", "acme/42/6"} {
			r := record(topic, key, s.now, nil)
			for _, value := range [][]byte{nil, []byte("{"), []byte("{}"), []byte("[]"), []byte("null"), {0xff}} {
				r.Value = value
				s.write(r)
			}
		}
	}
	s.jo(s.now)
	m := s.run(t.TempDir())
	page, err := m.Customer(t.Context(), "acme", "42", 0)
	require.NoError(t, err)
	assert.Equal(t, "jo@example.com", page.Customer.Email)
	assert.Len(t, page.Texts, 1)
}
