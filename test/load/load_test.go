package load_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/load"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// door takes webhooks and remembers when they came.
type door struct {
	answer time.Duration // how long it takes

	mu    sync.Mutex
	began time.Time
	came  []arrival
}

type arrival struct {
	topic recharge.Topic
	body  string
	at    time.Duration
}

func (d *door) take(_ context.Context, topic recharge.Topic, body []byte) (bool, error) {
	d.mu.Lock()
	d.came = append(d.came, arrival{topic, string(body), time.Since(d.began)})
	d.mu.Unlock()
	time.Sleep(d.answer)
	return true, nil
}

// run lets a load go on in a time of its own.
func run(t *testing.T, o load.Options, answer time.Duration) (*load.Load, []arrival) {
	t.Helper()
	var l *load.Load
	var d *door
	synctest.Test(t, func(t *testing.T) {
		o.Seed, o.Now = 1, now
		l, d = load.New(o), &door{answer: answer, began: time.Now()}
		require.NoError(t, l.Run(t.Context(), d.take))
	})
	assert.Len(t, d.came, l.Sent())
	return l, d.came
}

// first is when the first webhook of a topic came, and last when the last of them did.
func times(came []arrival, topic recharge.Topic) (first, last time.Duration) {
	of := slices.DeleteFunc(slices.Clone(came), func(a arrival) bool { return a.topic != topic })
	return of[0].at, of[len(of)-1].at
}

// "Within 0.4 s: charge/created, subscription/created, ..., order/success": that an answer takes 3 s holds nothing up. The
// updates go on for 90 s.
func TestBurstsComeAsRecorded(t *testing.T) {
	_, came := run(t, load.Options{Lives: 1}, 3*time.Second)
	assert.Zero(t, came[0].at)
	_, created := times(came, "subscription/created")
	assert.Less(t, created, 400*time.Millisecond)
	success, _ := times(came, "order/success")
	assert.Less(t, success, 400*time.Millisecond)
	upcoming, _ := times(came, "charge/upcoming") // the next burst
	assert.InDelta(t, 93*time.Second, upcoming, float64(10*time.Second))
	for i := range len(came) - 1 {
		assert.LessOrEqual(t, came[i].at, came[i+1].at)
	}
}

// Squeezed, the first second is as recorded and the rest is quicker.
func TestLongBurstsAreSqueezed(t *testing.T) {
	_, whole := run(t, load.Options{Lives: 1}, 0)
	_, quick := run(t, load.Options{Lives: 1, Longest: 3 * time.Second}, 0)
	require.Len(t, quick, len(whole))
	_, created := times(whole, "subscription/created")
	_, same := times(quick, "subscription/created")
	assert.Equal(t, created, same)
	upcoming, _ := times(quick, "charge/upcoming")
	assert.Equal(t, 3*time.Second, upcoming)
	assert.LessOrEqual(t, quick[len(quick)-1].at, 7*3*time.Second)
	assert.Greater(t, whole[len(whole)-1].at, 5*time.Minute)
}

func TestDuplicatesAndDisorder(t *testing.T) {
	o := load.Options{Lives: 20, Together: 20, Longest: 2 * time.Second}
	_, plain := run(t, o, 0)
	o.Duplicates, o.Disorder = 0.1, 0.5
	l, messy := run(t, o, 0)
	assert.InEpsilon(t, 1.1*float64(len(plain)), len(messy), 0.03)
	bodies := map[string]bool{}
	for _, a := range plain {
		bodies[string(a.topic)+a.body] = true
	}
	for _, a := range messy {
		assert.True(t, bodies[string(a.topic)+a.body], a.topic)
	}
	again, _ := run(t, o, 0)
	assert.Equal(t, l.Sent(), again.Sent(), "equal seeds")
	assert.Equal(t, l.Account.Len(), again.Account.Len())
}

// A load that is not taken ends with the reason.
func TestARefusalEndsTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load.New(load.Options{Lives: 3, Together: 3, Now: now})
		err := l.Run(t.Context(), func(_ context.Context, topic recharge.Topic, _ []byte) (bool, error) {
			if topic == "charge/upcoming" {
				return false, assert.AnError
			}
			return true, nil
		})
		require.ErrorIs(t, err, assert.AnError)
		assert.ErrorContains(t, err, "upcoming: ")
	})
}

// What is not taken is sent again, and may have got in each time.
func TestWhatIsNotTakenIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load.New(load.Options{Lives: 5, Seed: 1, Together: 5, Now: now, Longest: time.Second})
		var mu sync.Mutex
		var letters []load.DeadLetter
		tries := map[string]int{}
		require.NoError(t, l.Run(t.Context(), func(_ context.Context, topic recharge.Topic, body []byte) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if topic == "subscription/deleted" && !strings.Contains(string(body), "customer") {
				letters = append(letters, load.DeadLetter{Topic: string(topic), Body: body})
			}
			tries[string(topic)+string(body)]++
			return tries[string(topic)+string(body)] > 1, nil
		}))
		assert.Greater(t, l.Tried(), l.Sent())
		require.Greater(t, len(letters), l.Account.Dead())
		require.NoError(t, l.Account.CompareDead(letters))
		assert.Len(t, wrong(l.Account.CompareDead(append(letters, letters[0]))), 1)
	})
}

// wrong is what a comparison finds.
func wrong(err error) []string {
	var d *load.Differences
	if errors.As(err, &d) {
		return d.List
	}
	return nil
}

// faultless are the events that a product without faults makes of what an account asks for, and Bloomreach keeps.
func faultless(t *testing.T, a *load.Account) (raw [][]byte, kept []bloomreachtest.Event) {
	t.Helper()
	for i, missing := range wrong(a.Compare(nil)) {
		fact, _, _ := strings.Cut(missing, ": there 0 times")
		words := strings.Fields(fact)
		at := now
		if len(words) == 4 {
			var err error
			at, err = time.Parse(time.RFC3339, words[3])
			require.NoError(t, err)
		}
		at = at.Add(500 * time.Millisecond)
		of, _, _ := strings.Cut(strings.TrimPrefix(words[0], "subscription_"), "_")
		raw = append(raw, fmt.Appendf(nil, `{"id":"%d","type":%q,"status":%q,"occurred_at":%q,%q:{"id":%q}}`, i, words[0], words[1], at.Format(time.RFC3339Nano), of, words[2]))
		kept = append(kept, bloomreachtest.Event{
			Type: words[0], Timestamp: fmt.Sprintf("%d.5", at.Unix()), Properties: map[string]any{"status": words[1], of + "_id": words[2]},
		})
	}
	return raw, kept
}

// A comparison finds what is missing, what was not asked for, and what is there too often.
func TestAccount(t *testing.T) {
	l, _ := run(t, load.Options{Lives: 5, Together: 5, Longest: time.Second, Duplicates: 0.2}, 0)
	raw, kept := faultless(t, l.Account)
	require.Len(t, raw, l.Account.Len())

	require.NoError(t, l.Account.Compare(raw))
	assert.Len(t, wrong(l.Account.Compare(raw[1:])), 1, "missing")
	require.NoError(t, l.Account.Compare(append(slices.Clone(raw), []byte(`{"id":"x","type":"customer_property"}`))), "no fact")
	assert.Len(t, wrong(l.Account.Compare(append(slices.Clone(raw), raw[0]))), 1, "told again")
	assert.Equal(t, []string{"subscription created 1: there 1 times, never told"}, wrong(l.Account.Compare(
		append(slices.Clone(raw), []byte(`{"id":"x","type":"subscription","status":"created","subscription":{"id":"1"}}`)))))
	assert.Len(t, wrong(l.Account.Compare(append(slices.Clone(raw), []byte(strings.Replace(string(raw[0]), `"id":"0"`, `"id":"y"`, 1))))), 1, "one fact, two ids")
	require.ErrorContains(t, l.Account.Compare(append(slices.Clone(raw), []byte(strings.Replace(string(raw[1]), `"id":"1"`, `"id":"0"`, 1)))), "id 0 tells")

	require.NoError(t, l.Account.CompareAccepted(kept))
	assert.Len(t, wrong(l.Account.CompareAccepted(kept[1:])), 1)
	assert.Len(t, wrong(l.Account.CompareAccepted(append(slices.Clone(kept), kept[0]))), 1, "kept twice")
	stranger := kept[0]
	stranger.Type = "customer_change"
	assert.Len(t, wrong(l.Account.CompareAccepted(append(slices.Clone(kept), stranger))), 1)
}

// Whatever was delivered twice is a fact once, deletions too.
func TestAccountOfDuplicates(t *testing.T) {
	l, _ := run(t, load.Options{Lives: 5, Together: 5, Longest: time.Second, Duplicates: 1}, 0)
	raw, kept := faultless(t, l.Account)
	require.NoError(t, l.Account.Compare(raw))
	require.NoError(t, l.Account.CompareAccepted(kept))
	place := slices.IndexFunc(kept, func(e bloomreachtest.Event) bool { return e.Properties["status"] == "deleted" })
	require.GreaterOrEqual(t, place, 0)
	assert.Len(t, wrong(l.Account.CompareAccepted(append(slices.Clone(kept), kept[place]))), 1)
}

// lived is a load with an API, and what that says of each customer in the end, as rows of the tables and properties.
func lived(t *testing.T, o load.Options) (l *load.Load, tables load.Tables, property map[string]any) {
	t.Helper()
	o.API = rechargetest.NewInProcess("token")
	l, _ = run(t, o, 0)
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: o.API.URL, Token: "token", HTTPClient: o.API.Client(time.Second)})
	require.NoError(t, err)
	property = map[string]any{}
	for n := range o.Lives {
		life := rechargetest.Life{Customer: n + 1}
		customer, err := client.Customer(t.Context(), life.CustomerID())
		require.NoError(t, err)
		assert.Equal(t, life.Email(), customer.Email)
		subscriptions, complete, err := client.Subscriptions(t.Context(), life.CustomerID())
		require.NoError(t, err)
		require.True(t, complete)
		active := false
		for _, s := range subscriptions {
			active = active || s.Status == "active"
			tables.Subscriptions = append(tables.Subscriptions, row("acme/"+life.CustomerID()+"/"+s.ID,
				`{"recharge_customer_id":%q,"id":%q,"status":%q}`, life.CustomerID(), s.ID, s.Status))
		}
		tables.Customers = append(tables.Customers, row("acme/"+life.CustomerID(), `{"recharge_customer_id":%q,"subscription_active":%t}`, life.CustomerID(), active))
		property[life.Email()] = active
	}
	return l, tables, property
}

func row(key, value string, of ...any) load.Row {
	return load.Row{Key: key, Value: fmt.Appendf(nil, value, of...)}
}

// The API stands as the lives do in the end; a comparison finds what is another in tables and property.
func TestEndings(t *testing.T) {
	l, tables, property := lived(t, load.Options{Lives: 40, Together: 40, Longest: time.Second, Disorder: 0.5, Early: 0.8})
	compare := func(customers, subscriptions []load.Row) []string {
		return wrong(l.Account.CompareEnds(load.Tables{Customers: customers, Subscriptions: subscriptions}, func(email string) any { return property[email] }))
	}
	assert.Empty(t, compare(tables.Customers, tables.Subscriptions))
	assert.Empty(t, compare(append([]load.Row{row(tables.Customers[0].Key, `{"recharge_customer_id":"200000001"}`)}, tables.Customers...), tables.Subscriptions), "the last row counts")
	assert.Len(t, compare(tables.Customers[1:], tables.Subscriptions), 1, "a row is missing")
	assert.Len(t, compare(append(slices.Clone(tables.Customers), load.Row{Key: tables.Customers[3].Key}), tables.Subscriptions), 1, "a row is gone")
	assert.NotEmpty(t, compare(tables.Customers, tables.Subscriptions[1:]))
	assert.Len(t, compare(append(slices.Clone(tables.Customers), row("acme/7", `{"recharge_customer_id":"7"}`)), tables.Subscriptions), 1, "a stranger")
	other := strings.NewReplacer("active", "expired", "cancelled", "active").Replace(string(tables.Subscriptions[0].Value))
	assert.NotEmpty(t, compare(tables.Customers, append(slices.Clone(tables.Subscriptions), row(tables.Subscriptions[0].Key, "%s", other))), "another status")
	for email, active := range property {
		property[email] = active != true
		assert.Len(t, compare(tables.Customers, tables.Subscriptions), 1, email)
		property[email] = active
	}
}

func TestAccountOfDeadLetters(t *testing.T) {
	l, came := run(t, load.Options{Lives: 5, Together: 5, Longest: time.Second, Duplicates: 0.5}, 0)
	var letters []load.DeadLetter
	for _, a := range came {
		if a.topic == "subscription/deleted" && !strings.Contains(a.body, "customer") {
			letters = append(letters, load.DeadLetter{Topic: string(a.topic), Body: []byte(a.body)})
		}
	}
	require.Len(t, letters, l.Account.Dead())
	require.NotEmpty(t, letters, "a life of 2021-01")
	require.NoError(t, l.Account.CompareDead(letters))
	assert.Len(t, wrong(l.Account.CompareDead(letters[1:])), 1)
	assert.Len(t, wrong(l.Account.CompareDead(append(slices.Clone(letters), letters[0]))), 1)
	stranger := load.DeadLetter{Topic: "charge/paid", Body: []byte(`{"charge":{"id":7}}`)}
	assert.Equal(t, []string{"charge/paid 7: there 1 times, never told"}, wrong(l.Account.CompareDead(append(letters, stranger))))
}
