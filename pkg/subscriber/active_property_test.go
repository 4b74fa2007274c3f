package subscriber_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func status(s string) func(*recharge.Subscription) {
	return func(r *recharge.Subscription) { r.Status = s }
}

func numbered(id string) func(*recharge.Subscription) {
	return func(r *recharge.Subscription) { r.ID = id }
}

// The active property after one webhook, and whether it requests a lookup, for each state before it.
func TestActiveProperty(t *testing.T) {
	at := start().Add(time.Hour)
	was := func(w ...recharge.Webhook) func(*run) {
		return func(r *run) {
			for _, each := range w {
				r.receives(each, start())
			}
		}
	}
	nothing := was()
	complete := func(subscriptions ...recharge.Webhook) func(*run) {
		return func(r *run) {
			a := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: start()}, Complete: true}
			for _, w := range subscriptions {
				a.Subscriptions = append(a.Subscriptions, *w.Subscription)
			}
			r.applies(a, start())
		}
	}
	first, second := about("subscription/created", start()), about("subscription/created", start(), numbered("2"))
	customer := func(topic recharge.Topic, at time.Time, active int) recharge.Webhook {
		return ofCustomer(topic, counted(jo(at), active))
	}
	tests := []struct {
		name    string
		before  func(*run)
		w       recharge.Webhook
		want    []string
		looksUp bool
	}{
		{"created", nothing, first, []string{"TRUE " + joID}, false},
		{"created again", was(first), first, nil, false},
		{"any active subscription", nothing, about("subscription/updated", at), []string{"TRUE " + joID}, false},
		{"canceled, nothing else known", nothing, about("subscription/cancelled", at), nil, true},
		{"canceled, the only one known", was(first), about("subscription/cancelled", at), nil, true},
		{"canceled, another is active", was(first, second), about("subscription/cancelled", at), nil, false},
		{"canceled, the last of a complete list", complete(first), about("subscription/cancelled", at), []string{"FALSE " + joID}, false},
		{"canceled without a status", complete(first), about("subscription/cancelled", at, status("")), []string{"FALSE " + joID}, false},
		{"canceled, another of a complete list is active", complete(first, second), about("subscription/cancelled", at), nil, false},
		{"deleted, nothing else known", nothing, about("subscription/deleted", at), nil, true},
		{"deleted, the last of a complete list", complete(first), about("subscription/deleted", start()), []string{"FALSE " + joID}, false},
		{"deleted after a count of 0", was(first, customer("customer/updated", start().Add(time.Minute), 0)), about("subscription/deleted", start()), nil, false},
		{"deleted, with a customer whose count is 0", was(first), with(about("subscription/deleted", start()), counted(jo(start().Add(time.Minute)), 0)), []string{"FALSE " + joID}, false},
		{"deleted after a count of 1", was(first, customer("customer/updated", start().Add(time.Minute), 1)), about("subscription/deleted", start()), nil, true},
		{"deleted, and changed after the count", was(first, customer("customer/updated", start().Add(time.Minute), 0)), about("subscription/deleted", at), nil, true},
		{"deleted, another changed after the count", was(first, customer("customer/updated", start().Add(time.Minute), 0), about("subscription/cancelled", at.Add(-time.Minute), numbered("2"))), about("subscription/deleted", start()), nil, true},
		{"deleted, another is active since the count", was(first, customer("customer/updated", start().Add(time.Minute), 0), about("subscription/created", at, numbered("2"))), about("subscription/deleted", start()), nil, false},
		{"expired, by an update only", was(first), about("subscription/updated", at, status("expired")), nil, true},
		{"expired, the last of a complete list", complete(first), about("subscription/updated", at, status("expired")), []string{"FALSE " + joID}, false},
		{"a late snapshot", complete(first), about("subscription/updated", start().Add(-time.Hour), status("cancelled")), nil, false},
		{"a newer count of 0", was(first), customer("customer/updated", at, 0), []string{"FALSE " + joID}, false},
		{"a newer count of 1", was(first), customer("customer/updated", at, 1), nil, false},
		{"an older count of 0", was(first), customer("customer/updated", start().Add(-time.Hour), 0), nil, false},
		{"a count of 0 of the same instant", was(first), customer("customer/updated", start(), 0), nil, false},
		{"canceled, with a count older than the subscription", was(first), with(about("subscription/cancelled", at), counted(jo(start()), 0)), nil, true},
		{"canceled, with a newer count", was(first), with(about("subscription/cancelled", at), counted(jo(at.Add(time.Second)), 0)), []string{"FALSE " + joID}, false},
		{"canceled, with a count of the same instant", was(first), with(about("subscription/cancelled", at), counted(jo(at), 0)), []string{"FALSE " + joID}, false},
		{"activated, without a count", nothing, ofCustomer("customer/activated", jo(at)), []string{"TRUE " + joID}, false},
		{"deactivated, without a count", was(first), ofCustomer("customer/deactivated", jo(at)), []string{"FALSE " + joID}, false},
		{"deactivated, with a count", was(first), customer("customer/deactivated", at, 2), nil, false},
		{"updated, without a count", was(first), ofCustomer("customer/updated", jo(at)), nil, false},
		{"created with a count of 0", nothing, customer("customer/created", at, 0), []string{"FALSE " + joID}, false},
		{"a charge", nothing, plain("charge/paid", at).webhook, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS = false
			test.before(r)
			r.requests = nil
			d := r.receives(test.w, at.Add(time.Second))
			assert.Equal(t, test.want, r.propertyValues(d))
			if !test.looksUp {
				assert.Empty(t, d.Lookups)
				return
			}
			assert.Equal(t, []recharge.LookupRequest{{Store: store, CustomerID: joID, Kind: recharge.LookupSubscriptions, Due: at.Add(time.Second)}}, d.Lookups)
			r.settings.API = false
			assert.Empty(t, r.receives(test.w, at.Add(time.Minute)).Lookups, "no API")
		})
	}
}

// A lookup of the subscriptions determines the active property, for a customer from before the installation too.
func TestActivePropertyIsLookedUp(t *testing.T) {
	tests := []struct {
		name   string
		listed []recharge.Webhook
		want   []string
	}{
		{"none left", []recharge.Webhook{about("subscription/cancelled", start().Add(time.Hour))}, []string{"FALSE " + joID}},
		{"another is left", []recharge.Webhook{
			about("subscription/cancelled", start().Add(time.Hour)), about("subscription/updated", start(), numbered("2")),
		}, []string{"TRUE " + joID}},
		{"none is listed", nil, []string{"FALSE " + joID}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS = false
			r.receives(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
			require.Len(t, r.requests, 1)
			a := recharge.Lookup{LookupRequest: r.requests[0], Complete: true}
			for _, w := range test.listed {
				a.Subscriptions = append(a.Subscriptions, *w.Subscription)
			}
			d := r.applies(a, start().Add(2*time.Hour))
			assert.Equal(t, test.want, r.propertyValues(d))
			assert.Empty(t, d.Lookups)
			assert.Empty(t, r.propertyValues(r.applies(a, start().Add(2*time.Hour))), "unchanged: not emitted again")
		})
	}
	t.Run("a list that is not complete", func(t *testing.T) {
		r := newRun(t, byID())
		r.receives(with(about("subscription/cancelled", start()), jo(start())), start())
		d := r.applies(recharge.Lookup{LookupRequest: r.requests[0], Subscriptions: []recharge.Subscription{*about("subscription/cancelled", start()).Subscription}}, start())
		assert.Equal(t, reason.LookupApplied, d.Skip)
		assert.Nil(t, r.state().CustomerRow(store, joID).SubscriptionActive, "unknown")
	})
	t.Run("an empty list", func(t *testing.T) {
		r := newRun(t, byID())
		d := r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: start()}, Complete: true}, start().Add(time.Second))
		require.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
		assert.Equal(t, start().Add(time.Second), d.Events[0].OccurredAt)
	})
}

// A subscription that a complete list lacks is removed, unless it may be newer than the request. A newer snapshot restores it.
func TestSubscriptionMissingFromListIsRemoved(t *testing.T) {
	requested := start().Add(time.Hour)
	list := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: requested}, Complete: true}
	tests := []struct {
		name string
		at   time.Time // of the subscription
		list func(*recharge.Lookup)
		gone bool
		// imported says that the list is an import.
		imported bool
	}{
		{"created long before", start(), func(*recharge.Lookup) {}, true, false},
		{"created just before", requested.Add(-time.Second), func(*recharge.Lookup) {}, false, false},
		{"created while the API answered", requested.Add(time.Second), func(*recharge.Lookup) {}, false, false},
		{"not all are listed", start(), func(a *recharge.Lookup) { a.Complete = false }, false, false},
		{"an import", start(), func(*recharge.Lookup) {}, false, true},
		{"an answer without a request", start(), func(a *recharge.Lookup) { a.Due = time.Time{} }, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS = false
			r.receives(about("subscription/created", test.at), requested)
			a := list
			test.list(&a)
			r.apply(answer{a, test.imported}, requested.Add(time.Minute))
			_, there := r.state().SubscriptionRows(store, joID)["784594001"]
			assert.Equal(t, test.gone, !there)
			want := []string{"TRUE " + joID}
			if test.gone {
				want = append(want, "FALSE "+joID)
				assert.Equal(t, requested.Add(time.Minute), r.all.Events[len(r.all.Events)-1].OccurredAt, "no change is known")
			}
			assert.Equal(t, want, r.propertyValues(r.all))
		})
	}
	t.Run("a newer snapshot restores it", func(t *testing.T) {
		r := newRun(t, byID())
		r.settings.SMS = false
		r.receives(about("subscription/created", start()), requested)
		r.applies(list, requested.Add(time.Minute))
		r.receives(about("subscription/updated", start().Add(time.Minute)), requested.Add(time.Hour))
		assert.Empty(t, r.state().SubscriptionRows(store, joID), "an old snapshot does not restore it")
		r.receives(about("subscription/updated", requested.Add(time.Hour)), requested.Add(time.Hour))
		assert.Len(t, r.state().SubscriptionRows(store, joID), 1)
		assert.Equal(t, []string{"TRUE " + joID, "FALSE " + joID, "TRUE " + joID}, r.propertyValues(r.all))
	})
}

// Each emitted time is after the one before it, by at least a microsecond.
func TestActivePropertyTimesIncrease(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(ofCustomer("customer/updated", counted(jo(start().Add(time.Hour)), 1)), start().Add(time.Hour))
	r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: start().Add(2 * time.Hour)}, Complete: true, Subscriptions: []recharge.Subscription{
		*about("subscription/cancelled", start().Add(time.Hour)).Subscription, // one of the same instant, and an older one
		*about("subscription/cancelled", start(), numbered("2")).Subscription,
	}}, start().Add(3*time.Hour))
	r.receives(about("subscription/activated", start().Add(time.Hour+time.Nanosecond)), start().Add(4*time.Hour))
	require.Equal(t, []string{"TRUE " + joID, "FALSE " + joID, "TRUE " + joID}, r.propertyValues(r.all))
	var times []time.Time
	for _, e := range r.all.Events {
		if e.Property != nil {
			times = append(times, e.OccurredAt)
		}
	}
	at := start().Add(time.Hour)
	assert.Equal(t, []time.Time{at, at.Add(time.Microsecond), at.Add(2 * time.Microsecond)}, times)
}

// The body of a deletion has an old time. It counts from its first receipt, and the property has the time of what is known.
func TestActivePropertyAfterDeletion(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(about("subscription/created", start()), start())
	received := start().Add(time.Hour + 123*time.Nanosecond)
	r.receives(about("subscription/deleted", start()), received)
	r.receives(about("subscription/deleted", start()), received.Add(time.Hour))
	d := r.applies(recharge.Lookup{LookupRequest: r.requests[0], Complete: true}, start().Add(3*time.Hour))
	require.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
	assert.Equal(t, start().Add(time.Microsecond), d.Events[0].OccurredAt)
	r.receives(ofCustomer("customer/updated", counted(jo(start().Add(30*time.Minute)), 1)), start().Add(4*time.Hour))
	assert.Equal(t, []string{"TRUE " + joID, "FALSE " + joID}, r.propertyValues(r.all), "a count from before the deletion")

	r = newRun(t, byID())
	r.settings.SMS = false
	r.imports(imported(), start())
	r.receives(about("subscription/updated", minute(30)), minute(30))
	d = r.receives(about("subscription/deleted", start()), minute(40))
	require.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
	assert.Equal(t, minute(30).Add(time.Microsecond), d.Events[len(d.Events)-1].OccurredAt, "its body is older than what is known")

	r = newRun(t, byID())
	r.settings.SMS = false
	r.imports(imported(), start())
	r.receives(ofCustomer("customer/updated", jo(minute(30))), minute(30))
	d = r.receives(about("subscription/deleted", start()), minute(40))
	assert.Equal(t, minute(30).Add(time.Microsecond), d.Events[len(d.Events)-1].OccurredAt, "the customer is newer")

	r = newRun(t, byID())
	r.settings.SMS = false
	r.receives(about("subscription/deleted", time.Time{}, createdAt(time.Time{})), start())
	d = r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: start()}, Complete: true}, minute(5))
	require.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
	assert.Equal(t, minute(5), d.Events[0].OccurredAt, "no time is known but that of the list")
}

// An emitted active property that may no longer be true is looked up.
func TestUncertainActivePropertyIsLookedUp(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(about("subscription/created", start()), start())
	r.settings.API = false
	r.receives(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
	require.Empty(t, r.requests)
	r.settings.API = true
	d := r.receives(ofCharge("charge/paid", start().Add(2*time.Hour)), start().Add(2*time.Hour))
	assert.Equal(t, []recharge.LookupRequest{{Store: store, CustomerID: joID, Kind: recharge.LookupSubscriptions, Due: start().Add(2 * time.Hour)}}, d.Lookups)
}

// After a changed e-mail the active property is emitted for the new profile, and set to FALSE for the old one.
func TestActivePropertyFollowsTheEmail(t *testing.T) {
	moved := jo(start().Add(time.Hour))
	moved.Email = "jo@example.org"
	const old, current = " jo.bean@example.com", " jo@example.org"
	tests := []struct {
		name string
		keep bool
		was  []recharge.Webhook
		w    recharge.Webhook
		want []string
	}{
		{"active", false, []recharge.Webhook{about("subscription/created", start())}, ofCustomer("customer/updated", moved), []string{"FALSE" + old, "TRUE" + current}},
		{"active, the old profile is left", true, []recharge.Webhook{about("subscription/created", start())}, ofCustomer("customer/updated", moved), []string{"TRUE" + current}},
		{"not active", false, nil, ofCustomer("customer/updated", counted(moved, 0)), []string{"FALSE" + current}},
		{"no longer active", false, []recharge.Webhook{about("subscription/created", start())}, ofCustomer("customer/updated", counted(moved, 0)), []string{"FALSE" + old, "FALSE" + current}},
		{"by another webhook", false, []recharge.Webhook{about("subscription/created", start())}, with(about("subscription/updated", start().Add(time.Minute)), moved), []string{"FALSE" + old, "TRUE" + current}},
		{"an older object", false, []recharge.Webhook{about("subscription/created", start())}, func() recharge.Webhook {
			older := moved
			older.UpdatedAt = start().Add(-time.Hour)
			return ofCustomer("customer/updated", older)
		}(), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byEmail())
			r.settings.KeepOldProfile = test.keep
			r.receives(ofCustomer("customer/created", jo(start())), start())
			for _, w := range test.was {
				r.receives(w, start())
			}
			emitted := len(r.propertyValues(r.all))
			d := r.receives(test.w, start().Add(time.Hour))
			assert.Equal(t, test.want, r.propertyValues(d))
			assert.Equal(t, test.want, append([]string(nil), r.propertyValues(r.all)[emitted:]...))
			requireIncreasingTimes(t, r.all)
			assert.Empty(t, r.propertyValues(r.receives(test.w, start().Add(2*time.Hour))), "unchanged: not emitted again")
			for _, e := range r.receives(about("subscription/activated", start().Add(3*time.Hour)), start().Add(3*time.Hour)).Events {
				if test.want != nil {
					assert.Equal(t, "jo@example.org", e.Email, "new facts go to the new profile")
				}
			}
		})
	}
	t.Run("a store that identifies customers by id", func(t *testing.T) {
		r := newRun(t, byID())
		r.receives(ofCustomer("customer/created", counted(jo(start()), 1)), start())
		assert.Empty(t, r.propertyValues(r.receives(ofCustomer("customer/updated", moved), start())))
	})
}

// After another choice of customer_id the property is emitted for the new id. No event goes to the old one: the sink could
// not address it.
func TestActivePropertyAfterAnotherChoiceOfID(t *testing.T) {
	const email = "jo.bean@example.com"
	for name, test := range map[string]struct {
		before, after subscriber.IDChoice
		to            string
	}{
		"e-mail to Recharge id": {subscriber.ByEmail, subscriber.ByRechargeID, joID},
		"Recharge id to e-mail": {subscriber.ByRechargeID, subscriber.ByEmail, email},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byEmail())
			r.settings.CustomerID = test.before
			r.receives(ofCustomer("customer/created", counted(jo(start()), 1)), start())
			require.Len(t, r.propertyValues(r.all), 1)
			r.settings.CustomerID = test.after
			d := r.receives(about("subscription/created", start().Add(time.Minute)), start().Add(time.Minute))
			assert.Equal(t, []string{"TRUE " + test.to}, r.propertyValues(d))
			for _, e := range d.Events {
				assert.Equal(t, email, e.Email)
				assert.Equal(t, joID, e.RechargeCustomerID)
			}
		})
	}
}

// requireIncreasingTimes requires each time of the active property to be after the one before it.
func requireIncreasingTimes(t require.TestingT, d subscriber.Decision) {
	var last time.Time
	for _, e := range d.Events {
		if e.Property != nil {
			require.GreaterOrEqual(t, e.OccurredAt.Sub(last), time.Microsecond)
			require.Equal(t, e.OccurredAt, e.OccurredAt.Truncate(time.Microsecond), "Bloomreach's resolution is a microsecond")
			last = e.OccurredAt
		}
	}
}

// An active property without a destination ID needs a lookup of the customer. If the API does not know the customer either, the
// property is emitted once a later record has the ID.
func TestActivePropertyWithoutDestination(t *testing.T) {
	active := about("subscription/updated", start())
	r := newRun(t, byEmail())
	_, _, err := subscriber.Decide(r.settings, r.state(), active, start())
	require.Equal(t, &subscriber.LookupNeeded{CustomerID: joID}, err)

	t.Run("the API knows the customer", func(t *testing.T) {
		r := newRun(t, byEmail())
		c := jo(start())
		r.answers = func(a recharge.LookupRequest) recharge.Lookup { return recharge.Lookup{LookupRequest: a, Customer: &c} }
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, r.propertyValues(r.receives(active, start())))
	})
	t.Run("the API does not know the customer", func(t *testing.T) {
		r := newRun(t, byEmail())
		r.answers = func(a recharge.LookupRequest) recharge.Lookup { return recharge.Lookup{LookupRequest: a} }
		assert.Equal(t, reason.NoFact, r.receives(active, start()).Skip)
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, r.propertyValues(r.receives(ofCustomer("customer/updated", jo(start())), start())))
	})
	t.Run("no API", func(t *testing.T) {
		r := newRun(t, byEmail())
		r.settings.API = false
		assert.Equal(t, reason.NoFact, r.receives(active, start()).Skip)
	})
	t.Run("after an applied lookup, the customer is looked up", func(t *testing.T) {
		lookup := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: start()}, Subscriptions: []recharge.Subscription{*active.Subscription}, Complete: true}
		_, _, err := apply(byEmail(), &subscriber.State{}, joID, answer{Lookup: lookup}, start())
		require.Equal(t, &subscriber.LookupNeeded{CustomerID: joID}, err)
		d, _, err := apply(byEmail(), stateAfterLookup(byEmail(), jo(start())), joID, answer{Lookup: lookup}, start())
		require.NoError(t, err)
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, r.propertyValues(d))
		notFound := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}}
		_, lookedUp, err := apply(byEmail(), &subscriber.State{}, joID, answer{Lookup: notFound}, start())
		require.NoError(t, err)
		d, _, err = apply(byEmail(), lookedUp, joID, answer{Lookup: lookup}, start())
		require.NoError(t, err, "a parked record is replayed once")
		assert.Equal(t, reason.LookupApplied, d.Skip)
	})
	t.Run("a body that names no customer", func(t *testing.T) {
		w := about("subscription/updated", start(), func(s *recharge.Subscription) { s.CustomerID, s.Email = "", "jo@example.com" })
		d, _, err := subscriber.Decide(byEmail(), &subscriber.State{}, w, start())
		require.NoError(t, err)
		assert.Equal(t, subscriber.Decision{Skip: reason.NoFact}, d)
	})
}

// With the active property switched off, it is neither emitted nor looked up.
func TestActivePropertyOff(t *testing.T) {
	r := newRun(t, byID())
	r.settings.ActiveProperty, r.settings.SMS = false, false
	assert.Equal(t, reason.ActivePropertyOff, r.receives(ofCustomer("customer/deactivated", jo(start())), start()).Skip)
	assert.Equal(t, reason.ActivePropertyOff, r.receives(ofCustomer("customer/created", jo(start())), start()).Skip)
	r.receives(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
	assert.Empty(t, r.propertyValues(r.all))
	assert.Empty(t, r.requests)
}

// Another customer gets the address of one who was deleted, or whose last subscription was: the property of the new one wins if
// their change is later than the last known change of the old one, whenever the webhooks are received.
func TestNextOwnerOfAnAddressWins(t *testing.T) {
	const address = "pref@example.com"
	rapid.Check(t, func(t *rapid.T) {
		changes := rapid.SliceOfN(rapid.IntRange(0, 3600), 1, 4).Draw(t, "changes of the old owner")
		last := time.Duration(slices.Max(changes)) * time.Second
		old := newRun(t, byEmail())
		for _, seconds := range changes {
			old.receives(ofCustomer("customer/updated", person(joID, address, start().Add(time.Duration(seconds)*time.Second))), start().Add(2*time.Hour))
		}
		received := start().Add(2*time.Hour + time.Duration(rapid.IntRange(0, 1_000_000).Draw(t, "received"))*time.Second)
		if rapid.Bool().Draw(t, "customer is deleted") {
			old.receives(recharge.Webhook{Topic: "customer/deleted", Customer: &recharge.Customer{ID: joID}, Hash: "deleted"}, received)
		} else {
			old.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: start().Add(-time.Hour)}, Complete: true, Subscriptions: []recharge.Subscription{*about("", start().Add(last)).Subscription}}, received)
			d := about("subscription/deleted", start().Add(last))
			if rapid.Bool().Draw(t, "without times") {
				d.Subscription = &recharge.Subscription{ID: d.Subscription.ID, CustomerID: joID}
			}
			old.receives(d, received.Add(time.Second))
		}
		changed := start().Add(last + time.Duration(rapid.IntRange(1, 1_000_000).Draw(t, "later"))*time.Millisecond)
		next := nextOwner(t, "sub@example.com", address, changed, received)
		var newest subscriber.Event
		for _, e := range slices.Concat(old.all.Events, next.all.Events) {
			if e.Property != nil && e.Email == address && e.OccurredAt.After(newest.OccurredAt) {
				newest = e
			}
		}
		require.Contains(t, old.propertyValues(old.all), "FALSE "+address)
		require.True(t, newest.Property.Value)
		require.Equal(t, next.customer, newest.RechargeCustomerID)
	})
}

// person is a customer with an address and an active subscription.
func person(id, email string, at time.Time) recharge.Customer {
	c := counted(jo(at), 1)
	c.ID, c.Email = id, email
	return c
}

// nextOwner is another customer, active for a month, whose change to an address is received at a time. Before it their property was
// sent to their former address, or never.
func nextOwner(t *rapid.T, former, address string, changed, received time.Time) *run {
	next := newRun(t, byEmail())
	next.customer, next.settings.SMS = "246936002", false
	before := start().AddDate(0, -1, 0)
	subscription := func(topic recharge.Topic, id, email string) recharge.Webhook {
		return about(topic, before, func(s *recharge.Subscription) { s.ID, s.CustomerID, s.Email = id, next.customer, email })
	}
	uncounted := person(next.customer, address, changed)
	uncounted.Counted, uncounted.ActiveSubscriptions = false, 0
	mention := ofCharge("charge/paid", changed, func(c *recharge.Charge) { c.CustomerID, c.Email = next.customer, address })
	changes := map[string]recharge.Webhook{
		"counted":     ofCustomer("customer/updated", person(next.customer, address, changed)),
		"not counted": ofCustomer("customer/updated", uncounted),
		"mentioned":   mention,
	}
	if rapid.Bool().Draw(t, "had another address") {
		next.receives(subscription("subscription/created", "1", former), before)
	}
	if rapid.Bool().Draw(t, "a subscription was deleted") {
		next.receives(subscription("subscription/deleted", "2", former), received)
	}
	next.receives(changes[rapid.SampledFrom([]string{"counted", "not counted", "mentioned"}).Draw(t, "change")], received)
	next.receives(subscription("subscription/updated", "1", ""), received)
	return next
}

// On a new profile the property is not older than the object that has the e-mail. A Recharge ID is never another customer's.
func TestActivePropertyIsNotOlderThanTheEmail(t *testing.T) {
	changed := start().Add(time.Hour)
	nameless := jo(changed.Add(time.Hour))
	nameless.Email = ""
	mention := ofCharge("charge/paid", changed, func(c *recharge.Charge) { c.Email = "jo.bean@example.com" })
	for name, test := range map[string]struct {
		settings subscriber.Settings
		before   []recharge.Webhook
		want     time.Time
	}{
		"e-mail":                           {byEmail(), []recharge.Webhook{ofCustomer("customer/updated", jo(changed))}, changed},
		"e-mail, newer object without one": {byEmail(), []recharge.Webhook{ofCustomer("customer/updated", jo(changed)), ofCustomer("customer/updated", nameless)}, changed},
		"mentioned e-mail":                 {byEmail(), []recharge.Webhook{mention}, changed},
		"e-mail of an older object":        {byEmail(), []recharge.Webhook{ofCustomer("customer/updated", jo(start().Add(-time.Hour)))}, start()},
		"Recharge ID":                      {byID(), []recharge.Webhook{ofCustomer("customer/updated", jo(changed))}, start()},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, test.settings)
			r.settings.SMS = false
			for _, w := range test.before {
				r.receives(w, changed)
			}
			d := r.receives(about("subscription/updated", start()), changed)
			require.Len(t, d.Events, 1)
			assert.Equal(t, test.want, d.Events[0].OccurredAt)
		})
	}
}
