package subscriber_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const (
	theSubscription = "784594001"
	newOwner        = "1002"
)

// minute is some minutes after the start.
func minute(minutes int) time.Time { return start().Add(time.Duration(minutes) * time.Minute) }

// moves applies a moved record about the usual subscription.
func (r *run) moves(at, receivedAt time.Time) subscriber.Decision {
	before := r.state()
	m := subscriber.Move{Store: store, SubscriptionID: theSubscription, CustomerID: r.customer, To: newOwner, At: at, ReceivedAt: receivedAt}
	decision, after, err := subscriber.ApplyMove(r.settings, before, m, receivedAt)
	require.NoError(r.t, err)
	require.NoError(r.t, r.rows.save(r.customer, before, after))
	r.collect(decision)
	return decision
}

// another is a webhook of another subscription of the customer.
func another(topic recharge.Topic, at time.Time, change ...func(*recharge.Subscription)) recharge.Webhook {
	return about(topic, at, append(change, func(s *recharge.Subscription) { s.ID = "784594002" })...)
}

// What the former owner's property becomes. The subscription was created at the start and moves an hour later.
func TestMoveAndActiveProperty(t *testing.T) {
	created := func(r *run, count int) {
		r.receives(with(about("subscription/created", start()), counted(jo(minute(1)), count)), minute(1))
	}
	between := minute(60).Add(30 * time.Second) // the time of the move and its receipt
	// unchanged is a snapshot of the time of the move: the merge leaves updated_at as it is.
	unchanged := func(r *run, topic recharge.Topic, count int, at time.Time) {
		r.receives(with(about(topic, minute(60)), counted(jo(at), count)), at)
	}
	for name, test := range map[string]struct {
		before func(*run)
		noAPI  bool
		want   []string // values that are emitted
		asked  int
	}{
		"counted alone":                {func(r *run) { created(r, 1) }, true, []string{"FALSE " + joID}, 0},
		"one of two that were counted": {func(r *run) { created(r, 2) }, false, nil, 1},
		"one of two, without the API":  {func(r *run) { created(r, 2) }, true, nil, 0},
		"not counted":                  {func(r *run) { r.receives(about("subscription/created", start()), start()) }, false, nil, 1},
		"counted in the instant it was created": {func(r *run) {
			r.receives(with(about("subscription/created", start()), counted(jo(start()), 1)), start())
		}, true, []string{"FALSE " + joID}, 0},
		"not counted, without the API": {func(r *run) { r.receives(about("subscription/created", start()), start()) }, true, nil, 0},
		"another one is active":        {func(r *run) { created(r, 1); r.receives(another("subscription/created", minute(5)), minute(5)) }, false, nil, 0},
		"counted before it was created": {func(r *run) {
			r.receives(with(about("subscription/created", minute(2)), counted(jo(minute(1)), 1)), minute(2))
		}, false, nil, 1},
		"counted after the move": {func(r *run) {
			created(r, 1)
			r.receives(ofCustomer("customer/updated", counted(jo(minute(90)), 1)), minute(91))
		}, false, nil, 0},
		"no longer active when it moved": {func(r *run) { created(r, 1); r.receives(about("subscription/cancelled", minute(5)), minute(5)) }, false, nil, 1},
		"counted after the move, and another one ended later": {func(r *run) {
			created(r, 1)
			r.receives(ofCustomer("customer/updated", counted(jo(minute(90)), 1)), minute(91))
			r.receives(another("subscription/cancelled", minute(95)), minute(95))
		}, false, nil, 1},
		"counted in the instant of the move, and another one ended later": {func(r *run) {
			created(r, 1)
			r.receives(ofCustomer("customer/updated", counted(jo(minute(60)), 1)), minute(60))
			r.receives(another("subscription/cancelled", minute(95)), minute(95))
		}, false, nil, 1},
		"all subscriptions known":                                       {func(r *run) { r.imports(imported(), start()) }, true, []string{"FALSE " + joID}, 0},
		"updated_at unchanged, counted in between":                      {func(r *run) { unchanged(r, "subscription/updated", 1, between) }, true, []string{"FALSE " + joID}, 0},
		"updated_at unchanged, one of two that were counted in between": {func(r *run) { unchanged(r, "subscription/updated", 2, between) }, false, nil, 0},
		"updated_at unchanged, counted after the receipt":               {func(r *run) { unchanged(r, "subscription/updated", 1, minute(62)) }, false, nil, 0},
		"updated_at unchanged, no longer active when it moved":          {func(r *run) { unchanged(r, "subscription/cancelled", 1, between) }, false, nil, 0},
		"updated_at unchanged, another one is active": {func(r *run) {
			r.receives(another("subscription/created", minute(5)), minute(5))
			unchanged(r, "subscription/updated", 1, between)
		}, false, nil, 0},
		"updated_at unchanged, another one ended without a webhook": {func(r *run) {
			r.receives(another("subscription/created", minute(5)), minute(5))
			unchanged(r, "subscription/updated", 0, between)
		}, false, nil, 0},
		"counted, and the store has no flag": {func(r *run) { r.settings.ActiveProperty = false; created(r, 1) }, false, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS, r.settings.API = false, !test.noAPI
			test.before(r)
			r.requests = nil
			d := r.moves(minute(60), minute(61))
			assert.Equal(t, test.want, r.propertyValues(d))
			assert.Len(t, d.Lookups, test.asked)
			assert.NotContains(t, r.state().SubscriptionRows(store, joID), theSubscription)
			for _, e := range d.Events {
				if strings.HasPrefix(name, "updated_at unchanged") {
					assert.Equal(t, between.Add(time.Microsecond), e.OccurredAt, "after the former owner's TRUE")
					continue
				}
				assert.Equal(t, minute(60).Add(-time.Microsecond), e.OccurredAt, "before the new owner's TRUE, which may go to the same profile")
			}
			if len(d.Events) == 0 {
				assert.Equal(t, reason.MoveApplied, d.Skip)
			}
			assert.Empty(t, d.Triggers)
			assert.Empty(t, d.Revocations)
			assert.Empty(t, d.Owners)
			assert.True(t, r.moves(minute(60), minute(62)).Empty(), "a repeated moved record has no effect")
		})
	}
}

// imported is an import of all subscriptions: the usual one.
func imported() recharge.Lookup {
	return recharge.Lookup{
		LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions}, Complete: true,
		Subscriptions: []recharge.Subscription{*about("subscription/updated", start()).Subscription},
	}
}

// The API's list decides where the state can't.
func TestMoveIsFollowedByALookup(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.answers = func(q recharge.LookupRequest) recharge.Lookup {
		return recharge.Lookup{LookupRequest: q, Complete: true}
	}
	r.receives(about("subscription/created", start()), start())
	r.moves(minute(60), minute(61))
	r.answersAll(minute(62))
	assert.Equal(t, []string{"TRUE " + joID, "FALSE " + joID}, r.propertyValues(r.all))
	assert.Equal(t, minute(60).Add(-time.Microsecond), r.all.Events[len(r.all.Events)-1].OccurredAt)
}

// A webhook from before the move that arrives after it counts: the subscription was active when the count was taken.
func TestLateWebhookBeforeTheMove(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS, r.settings.API = false, false
	r.receives(about("subscription/cancelled", start()), start())
	r.receives(ofCustomer("customer/updated", counted(jo(minute(20)), 1)), minute(20))
	r.moves(minute(60), minute(61))
	assert.Equal(t, []string{"TRUE " + joID}, r.propertyValues(r.all), "the count may be that of another subscription")
	d := r.receives(about("subscription/activated", minute(10)), minute(62))
	assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
	assert.Empty(t, r.state().SubscriptionRows(store, joID))
	held := func() *subscriber.Held { return r.state().Subscriptions[theSubscription].Held }
	r.receives(about("subscription/cancelled", minute(5)), minute(63))
	assert.Equal(t, &subscriber.Held{At: minute(10), Active: true, ReceivedAt: minute(61)}, held(), "an older one does not count")
	r.receives(about("subscription/cancelled", minute(30)), minute(64))
	assert.Equal(t, &subscriber.Held{At: minute(30), ReceivedAt: minute(61)}, held(), "a newer one does")
}

// A late webhook that has the time of the move shows that the merge left updated_at unchanged: a count from before the receipt may
// include the subscription.
func TestLateWebhookAtTheTimeOfTheMove(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS, r.settings.API = false, false
	r.receives(about("subscription/created", start()), start())
	r.moves(minute(60), minute(62))
	r.receives(ofCustomer("customer/updated", counted(jo(minute(61)), 1)), minute(63))
	assert.Equal(t, []string{"TRUE " + joID}, r.propertyValues(r.all), "the count is newer than the move")
	d := r.receives(about("subscription/activated", minute(60)), minute(64))
	assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
}

// A newer snapshot shows that the subscription has moved back. A repeated older webhook does not, even at the time of the move.
func TestMoveIsNotFinal(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(about("subscription/created", start()), start())
	r.moves(minute(60), minute(61))
	for _, again := range []time.Time{minute(5), minute(60)} {
		d := r.receives(about("subscription/activated", again), minute(62))
		assert.Empty(t, d.Owners)
		assert.Empty(t, r.state().SubscriptionRows(store, joID))
	}
	d := r.receives(about("subscription/updated", minute(70)), minute(71))
	assert.Equal(t, []subscriber.Owner{{Store: store, SubscriptionID: theSubscription, CustomerID: joID, At: minute(70)}}, d.Owners)
	assert.Contains(t, r.state().SubscriptionRows(store, joID), theSubscription)
	r.receives(about("subscription/deleted", minute(80)), minute(80))
	r.moves(minute(90), minute(91))
	assert.Equal(t, "deleted", r.state().Subscriptions[theSubscription].Status, "a deletion is final")
	assert.Nil(t, r.state().Subscriptions[theSubscription].Held)
}

// A moved record that is older than the customer's snapshot is answered: the subscription has moved back.
func TestOldMoveIsAnsweredByAnOwnerRecord(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(about("subscription/created", start()), start())
	r.receives(about("subscription/updated", minute(70)), minute(71))
	d := r.moves(minute(60), minute(72))
	assert.Equal(t, []subscriber.Owner{{Store: store, SubscriptionID: theSubscription, CustomerID: joID, At: minute(70)}}, d.Owners)
	assert.Empty(t, d.Events)
	assert.Contains(t, r.state().SubscriptionRows(store, joID), theSubscription)
	assert.Empty(t, r.moves(minute(70), minute(73)).Owners, "with equal times the owner is decided already")
	assert.NotContains(t, r.state().SubscriptionRows(store, joID), theSubscription)
}

// A late webhook fires no text that a webhook from before the move contradicts.
func TestLateTextAfterTheMove(t *testing.T) {
	r := known(t, about("subscription/activated", minute(50)))
	r.moves(minute(60), minute(61))
	d := r.receives(about("subscription/cancelled", minute(40)), minute(62))
	assert.Equal(t, []string{"canceled"}, statuses(d))
	assert.Empty(t, d.Triggers)
}

// A customer without the subscription, and a deleted one, ignore the record.
func TestMoveOfAnotherCustomersSubscription(t *testing.T) {
	for name, before := range map[string][]recharge.Webhook{
		"never seen": nil,
		"deleted":    {with(about("subscription/created", start()), counted(jo(start()), 1)), ofCustomer("customer/deleted", jo(minute(5)))},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS = false
			for _, w := range before {
				r.receives(w, minute(5))
			}
			rows := maps.Clone(r.rows.Rows)
			d := r.moves(minute(60), minute(61))
			assert.Equal(t, reason.MoveApplied, d.Skip)
			assert.Empty(t, d.Lookups)
			assert.Equal(t, rows, r.rows.Rows)
		})
	}
}

// An owner record is published when a subscription is first seen, in a webhook or in a list, and then every half a year.
func TestOwnerRecordsArePublished(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	day := func(n int) time.Time { return start().AddDate(0, 0, n) }
	published := func(d subscriber.Decision) (all []string) {
		for _, o := range d.Owners {
			require.Equal(t, joID, o.CustomerID)
			all = append(all, o.SubscriptionID+" "+o.At.Format(time.DateOnly))
		}
		return all
	}
	assert.Equal(t, []string{theSubscription + " 2026-03-01"}, published(r.receives(about("subscription/created", day(0)), day(0))))
	assert.Empty(t, published(r.receives(about("subscription/updated", day(3)), day(3))))
	assert.Empty(t, published(r.receives(ofCustomer("customer/updated", jo(day(4))), day(4))))
	list := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: day(5)}}
	for _, w := range []recharge.Webhook{about("subscription/updated", day(3)), another("subscription/updated", day(4))} {
		list.Subscriptions = append(list.Subscriptions, *w.Subscription)
	}
	assert.Equal(t, []string{"784594002 2026-03-05"}, published(r.applies(list, day(5))))
	assert.Empty(t, published(r.receives(about("subscription/updated", day(179)), day(179))))
	assert.Equal(t, []string{theSubscription + " 2026-08-28"}, published(r.receives(about("subscription/updated", day(180)), day(180))))
	deleted := about("subscription/deleted", day(200), func(s *recharge.Subscription) { s.ID = "784594003" })
	assert.Equal(t, []string{"784594003 2026-09-17"}, published(r.receives(deleted, day(200))), "its former owner must hear of it")

	gone := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: day(201)}, Complete: true}
	r.applies(gone, day(201))
	assert.Empty(t, published(r.receives(about("subscription/updated", day(4)), day(202))), "a vanished subscription has another owner, or none")
}

// A deletion without a time has that of its receipt. A webhook that names no customer has no owner.
func TestOwnerRecordsOfPoorWebhooks(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	bare := about("subscription/deleted", time.Time{}, func(s *recharge.Subscription) { s.CreatedAt = time.Time{} })
	assert.Equal(t, minute(5), r.receives(bare, minute(5)).Owners[0].At)

	nobodys := about("subscription/updated", start(), func(s *recharge.Subscription) { s.CustomerID = "" })
	d, _, err := subscriber.Decide(r.settings, &subscriber.State{}, nobodys, minute(5))
	require.NoError(t, err)
	assert.Empty(t, d.Owners)
}

func ownedBy(customer string, at int) subscriber.Owner {
	return subscriber.Owner{Store: store, SubscriptionID: theSubscription, CustomerID: customer, At: minute(at)}
}

// The customer with the newest snapshot is the owner, whatever arrives first. With equal times the one that was received later is.
func TestApplyOwner(t *testing.T) {
	known, move := subscriber.ApplyOwner(nil, ownedBy("1", 10), minute(11))
	require.Nil(t, move)
	for name, test := range map[string]struct {
		owner      subscriber.Owner
		receivedAt time.Time
		owns       string
		leaves     string
		at         int
	}{
		"the same":                       {ownedBy("1", 10), minute(12), "1", "", 0},
		"newer":                          {ownedBy("2", 20), minute(21), "2", "1", 20},
		"older":                          {ownedBy("2", 5), minute(21), "1", "2", 10},
		"equal, received later":          {ownedBy("0", 10), minute(12), "0", "1", 10},
		"equal, received before":         {ownedBy("2", 10), minute(10), "1", "2", 10},
		"equal, greater id":              {ownedBy("2", 10), minute(11), "2", "1", 10},
		"equal, lesser id":               {ownedBy("0", 10), minute(11), "1", "0", 10},
		"another, after the row expired": {ownedBy("2", 5), minute(11).AddDate(0, 0, 425), "2", "", 0},
		"another, just before that":      {ownedBy("2", 5), minute(10).AddDate(0, 0, 425), "1", "2", 10},
	} {
		t.Run(name, func(t *testing.T) {
			next, move := subscriber.ApplyOwner(known, test.owner, test.receivedAt)
			assert.Equal(t, test.owns, next.CustomerID)
			if test.leaves == "" {
				assert.Nil(t, move)
				return
			}
			assert.Equal(t, &subscriber.Move{Store: store, SubscriptionID: theSubscription, CustomerID: test.leaves, To: test.owns, At: minute(test.at), ReceivedAt: next.ReceivedAt}, move)
		})
	}
}

// The owner is stored as long as owner records arrive.
func TestOwnerIsKeptWhileSeen(t *testing.T) {
	known, _ := subscriber.ApplyOwner(nil, ownedBy("1", 10), minute(11))
	known, _ = subscriber.ApplyOwner(known, ownedBy("1", 10), minute(11).AddDate(0, 0, 180))
	assert.Equal(t, &subscriber.OwnerState{CustomerID: "1", At: minute(10), ReceivedAt: minute(11).AddDate(0, 0, 180)}, known)
	assert.False(t, known.Expired(minute(10).AddDate(0, 0, 180+425)))
	assert.True(t, known.Expired(minute(11).AddDate(0, 0, 180+425)))
}

// aRecord is a record of the raw topic: a webhook, an owner record, a moved record or an answer of the API.
type aRecord struct {
	at      time.Time
	webhook recharge.Webhook
	owner   *subscriber.Owner
	move    *subscriber.Move
	lookup  *recharge.LookupRequest
}

// aShop has customers whose subscription moves among them. Each key has a queue of its own.
type aShop struct {
	t      *rapid.T
	queues map[string][]aRecord
	runs   map[string]*run
	owner  *subscriber.OwnerState
	last   *recharge.Subscription // the subscription in the end, according to the API
	done   int
}

func (s *aShop) put(key string, r aRecord) { s.queues[key] = append(s.queues[key], r) }

// handleOne handles the next record of any queue. It reports whether there was one.
func (s *aShop) handleOne() bool {
	var waiting []string
	for key, queue := range s.queues {
		if len(queue) > 0 {
			waiting = append(waiting, key)
		}
	}
	if len(waiting) == 0 {
		return false
	}
	slices.Sort(waiting)
	key := rapid.SampledFrom(waiting).Draw(s.t, "next")
	record := s.queues[key][0]
	s.queues[key] = s.queues[key][1:]
	s.handle(key, record)
	s.done++
	return true
}

func (s *aShop) handle(key string, r aRecord) {
	if r.owner != nil {
		var move *subscriber.Move
		if s.owner, move = subscriber.ApplyOwner(s.owner, *r.owner, r.at); move != nil {
			s.put(store+"/"+move.CustomerID, aRecord{at: r.at, move: move})
		}
		return
	}
	c := s.runs[key]
	before := c.state()
	var d subscriber.Decision
	var after *subscriber.State
	var err error
	switch {
	case r.move != nil:
		d, after, err = subscriber.ApplyMove(c.settings, before, *r.move, r.at)
	case r.lookup != nil:
		d, after, err = subscriber.ApplyLookup(c.settings, before, s.list(*r.lookup), false, r.at)
	default:
		d, after, err = subscriber.Decide(c.settings, before, r.webhook, r.at)
	}
	require.NoError(s.t, err)
	require.NoError(s.t, c.rows.save(c.customer, before, after))
	for _, o := range d.Owners {
		s.put(store+"/subscription/"+o.SubscriptionID, aRecord{at: r.at, owner: &o})
	}
	for _, q := range d.Lookups {
		s.put(key, aRecord{at: minute(60 * 24), lookup: &q})
	}
}

// list is the API's answer in the end.
func (s *aShop) list(q recharge.LookupRequest) recharge.Lookup {
	q.Due = minute(60 * 24)
	l := recharge.Lookup{LookupRequest: q, Complete: true}
	if q.CustomerID == s.last.CustomerID {
		l.Subscriptions = []recharge.Subscription{*s.last}
	}
	return l
}

// However webhooks, owner records and moved records overtake each other, and whatever comes twice: in the end the subscription is
// in the table of its last customer alone, whose property is TRUE if it is active, and those of the others are FALSE.
func TestSubscriptionsMoveInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		customers := []string{"1", "2", "3"}
		history := rapid.SliceOfN(rapid.SampledFrom(customers), 1, 6).Draw(t, "customers")
		s := &aShop{t: t, queues: map[string][]aRecord{}, runs: map[string]*run{}}
		for _, id := range customers {
			r := newRun(t, byID())
			r.customer, r.settings.SMS = id, false
			s.runs[store+"/"+id] = r
		}
		var webhooks []recharge.Webhook
		for i, id := range history {
			topic := rapid.SampledFrom([]recharge.Topic{"subscription/updated", "subscription/activated", "subscription/cancelled"}).Draw(t, "topic")
			w := about(topic, minute(i+1), func(s *recharge.Subscription) { s.CustomerID = id })
			active := 1
			if topic == "subscription/cancelled" {
				active = 0
			}
			if rapid.Bool().Draw(t, "counted") {
				c := counted(jo(minute(i+1)), active)
				c.ID = id
				w = with(w, c)
			}
			webhooks, s.last = append(webhooks, w), w.Subscription
		}
		webhooks = append(webhooks, rapid.SliceOfN(rapid.SampledFrom(webhooks), 0, 2).Draw(t, "again")...)
		for i, n := range rapid.Permutation(indexes(len(webhooks))).Draw(t, "order") {
			w := webhooks[n]
			s.put(store+"/"+w.Subscription.CustomerID, aRecord{at: minute(10 + i), webhook: w})
		}
		for s.handleOne() {
			require.Less(t, s.done, 200, "the records must come to an end")
		}
		require.Equal(t, s.last.CustomerID, s.owner.CustomerID)
		for key, r := range s.runs {
			state := r.state()
			property := state.Customer.ActiveProperty
			rows, last := state.SubscriptionRows(store, r.customer), r.customer == s.last.CustomerID
			require.Equal(t, last, len(rows) == 1, key)
			require.Equal(t, last && s.last.Status == "active", property != nil && property.Value, key)
		}
	})
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// Owner records in any order, with repetitions, come to the same owner.
func TestOwnersInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type received struct {
			owner subscriber.Owner
			at    time.Time
		}
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) received {
			customer := strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "customer"))
			at, receivedAt := rapid.IntRange(0, 3).Draw(t, "at"), rapid.IntRange(10, 13).Draw(t, "received at")
			return received{ownedBy(customer, at), minute(receivedAt)}
		}), 1, 8).Draw(t, "records")
		apply := func(order []int) (known *subscriber.OwnerState) {
			for _, n := range order {
				known, _ = subscriber.ApplyOwner(known, records[n].owner, records[n].at)
			}
			return known
		}
		first := rapid.Permutation(indexes(len(records))).Draw(t, "one order")
		second := append(rapid.Permutation(indexes(len(records))).Draw(t, "another"), first...)
		require.Equal(t, apply(first), apply(second))
	})
}
