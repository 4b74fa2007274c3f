package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func status(s string) func(*recharge.Subscription) {
	return func(r *recharge.Subscription) { r.Status = s }
}

func numbered(id string) func(*recharge.Subscription) {
	return func(r *recharge.Subscription) { r.ID = id }
}

// What one webhook makes of the flag, and whether the API has to be asked, given what went before.
func TestFlag(t *testing.T) {
	at := start().Add(time.Hour)
	was := func(w ...recharge.Webhook) func(*life) {
		return func(l *life) {
			for _, each := range w {
				l.hears(each, start())
			}
		}
	}
	nothing := was()
	complete := func(subscriptions ...recharge.Webhook) func(*life) {
		return func(l *life) {
			a := subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskFlag, Due: start()}, Complete: true}
			for _, w := range subscriptions {
				a.Subscriptions = append(a.Subscriptions, *w.Subscription)
			}
			l.learns(a, start())
		}
	}
	first, second := about("subscription/created", start()), about("subscription/created", start(), numbered("2"))
	customer := func(topic recharge.Topic, at time.Time, active int) recharge.Webhook {
		return ofCustomer(topic, counted(jo(at), active))
	}
	tests := []struct {
		name   string
		before func(*life)
		w      recharge.Webhook
		want   []string
		asks   bool
	}{
		{"created", nothing, first, []string{"TRUE " + joID}, false},
		{"created again", was(first), first, nil, false},
		{"any active one that is met", nothing, about("subscription/updated", at), []string{"TRUE " + joID}, false},
		{"canceled, nothing else known", nothing, about("subscription/cancelled", at), nil, true},
		{"canceled, the only one ever met", was(first), about("subscription/cancelled", at), nil, true},
		{"canceled, another is active", was(first, second), about("subscription/cancelled", at), nil, false},
		{"canceled, the last of all", complete(first), about("subscription/cancelled", at), []string{"FALSE " + joID}, false},
		{"canceled without a status", complete(first), about("subscription/cancelled", at, status("")), []string{"FALSE " + joID}, false},
		{"canceled, another of all", complete(first, second), about("subscription/cancelled", at), nil, false},
		{"deleted, nothing else known", nothing, about("subscription/deleted", at), nil, true},
		{"deleted, the last of all", complete(first), about("subscription/deleted", start()), []string{"FALSE " + joID}, false},
		{"deleted after a count of none", was(first, customer("customer/updated", start().Add(time.Minute), 0)), about("subscription/deleted", start()), nil, false},
		{"deleted, and none is left by the count that comes along", was(first), with(about("subscription/deleted", start()), counted(jo(start().Add(time.Minute)), 0)), []string{"FALSE " + joID}, false},
		{"deleted after a count of some", was(first, customer("customer/updated", start().Add(time.Minute), 1)), about("subscription/deleted", start()), nil, true},
		{"deleted, and changed after the count", was(first, customer("customer/updated", start().Add(time.Minute), 0)), about("subscription/deleted", at), nil, true},
		{"deleted, another changed after the count", was(first, customer("customer/updated", start().Add(time.Minute), 0), about("subscription/cancelled", at.Add(-time.Minute), numbered("2"))), about("subscription/deleted", start()), nil, true},
		{"deleted, another is active since the count", was(first, customer("customer/updated", start().Add(time.Minute), 0), about("subscription/created", at, numbered("2"))), about("subscription/deleted", start()), nil, false},
		{"expired, told by an update only", was(first), about("subscription/updated", at, status("expired")), nil, true},
		{"expired, the last of all", complete(first), about("subscription/updated", at, status("expired")), []string{"FALSE " + joID}, false},
		{"a late snapshot", complete(first), about("subscription/updated", start().Add(-time.Hour), status("cancelled")), nil, false},
		{"a newer count", was(first), customer("customer/updated", at, 0), []string{"FALSE " + joID}, false},
		{"a newer count, some left", was(first), customer("customer/updated", at, 1), nil, false},
		{"an older count", was(first), customer("customer/updated", start().Add(-time.Hour), 0), nil, false},
		{"a count of the same instant", was(first), customer("customer/updated", start(), 0), nil, false},
		{"a count comes along, older than its subscription", was(first), with(about("subscription/cancelled", at), counted(jo(start()), 0)), nil, true},
		{"a count comes along, newer", was(first), with(about("subscription/cancelled", at), counted(jo(at.Add(time.Second)), 0)), []string{"FALSE " + joID}, false},
		{"a count comes along, of the same instant", was(first), with(about("subscription/cancelled", at), counted(jo(at), 0)), []string{"FALSE " + joID}, false},
		{"activated, without a count", nothing, ofCustomer("customer/activated", jo(at)), []string{"TRUE " + joID}, false},
		{"deactivated, without a count", was(first), ofCustomer("customer/deactivated", jo(at)), []string{"FALSE " + joID}, false},
		{"deactivated, with a count", was(first), customer("customer/deactivated", at, 2), nil, false},
		{"updated, without a count", was(first), ofCustomer("customer/updated", jo(at)), nil, false},
		{"none at all", nothing, customer("customer/created", at, 0), []string{"FALSE " + joID}, false},
		{"a charge", nothing, plain("charge/paid", at).webhook, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byID())
			l.settings.SMS = false
			test.before(l)
			l.asks = nil
			d := l.hears(test.w, at.Add(time.Second))
			assert.Equal(t, test.want, flags(d))
			if !test.asks {
				assert.Empty(t, d.Asks)
				return
			}
			assert.Equal(t, []subscriber.Ask{{Kind: subscriber.AskFlag, Due: at.Add(time.Second)}}, d.Asks)
			l.settings.API = false
			assert.Empty(t, l.hears(test.w, at.Add(time.Minute)).Asks, "nobody to ask")
		})
	}
}

// The API settles it: for a customer who was there before us, too.
func TestFlagAskedFor(t *testing.T) {
	tests := []struct {
		name   string
		listed []recharge.Webhook
		want   []string
	}{
		{"none left", []recharge.Webhook{about("subscription/cancelled", start().Add(time.Hour))}, []string{"FALSE " + joID}},
		{"another is left", []recharge.Webhook{
			about("subscription/cancelled", start().Add(time.Hour)), about("subscription/updated", start(), numbered("2")),
		}, []string{"TRUE " + joID}},
		{"all gone", nil, []string{"FALSE " + joID}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byID())
			l.settings.SMS = false
			l.hears(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
			require.Len(t, l.asks, 1)
			a := subscriber.Answer{Ask: l.asks[0], Complete: true}
			for _, w := range test.listed {
				a.Subscriptions = append(a.Subscriptions, *w.Subscription)
			}
			d := l.learns(a, start().Add(2*time.Hour))
			assert.Equal(t, test.want, flags(d))
			assert.Empty(t, d.Asks)
			assert.Empty(t, flags(l.learns(a, start().Add(2*time.Hour))), "said")
		})
	}
	t.Run("a list that isn't complete", func(t *testing.T) {
		l := newLife(t, byID())
		l.hears(with(about("subscription/cancelled", start()), jo(start())), start())
		d := l.learns(subscriber.Answer{Ask: l.asks[0], Subscriptions: []recharge.Subscription{*about("subscription/cancelled", start()).Subscription}}, start())
		assert.Equal(t, subscriber.SkipLearnt, d.Skip)
		assert.Nil(t, l.memory().Row(store, joID).SubscriptionActive, "nobody can tell")
	})
	t.Run("who has none at all", func(t *testing.T) {
		l := newLife(t, byID())
		d := l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskFlag, Due: start()}, Complete: true}, start().Add(time.Second))
		require.Equal(t, []string{"FALSE " + joID}, flags(d))
		assert.Equal(t, start().Add(time.Second), d.Events[0].OccurredAt)
	})
}

// A subscription that a list lacks is gone, unless it may have come after the question. Should it show again, it is there.
func TestGoneFromTheList(t *testing.T) {
	asked := start().Add(time.Hour)
	list := subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskFlag, Due: asked}, Complete: true}
	tests := []struct {
		name string
		at   time.Time // of the subscription
		list func(*subscriber.Answer)
		gone bool
	}{
		{"there before", start(), func(*subscriber.Answer) {}, true},
		{"created just before", asked.Add(-time.Second), func(*subscriber.Answer) {}, false},
		{"created while the API answered", asked.Add(time.Second), func(*subscriber.Answer) {}, false},
		{"not all are listed", start(), func(a *subscriber.Answer) { a.Complete = false }, false},
		{"an import", start(), func(a *subscriber.Answer) { a.Import, a.Ask = true, subscriber.Ask{} }, false},
		{"the answer to nobody knows which question", start(), func(a *subscriber.Answer) { a.Ask.Due = time.Time{} }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byID())
			l.settings.SMS = false
			l.hears(about("subscription/created", test.at), asked)
			a := list
			test.list(&a)
			l.learns(a, asked.Add(time.Minute))
			_, there := l.memory().SubscriptionRows(store, joID)["784594001"]
			assert.Equal(t, test.gone, !there)
			want := []string{"TRUE " + joID}
			if test.gone {
				want = append(want, "FALSE "+joID)
			}
			assert.Equal(t, want, flags(l.all))
		})
	}
	t.Run("it shows again", func(t *testing.T) {
		l := newLife(t, byID())
		l.settings.SMS = false
		l.hears(about("subscription/created", start()), asked)
		l.learns(list, asked.Add(time.Minute))
		l.hears(about("subscription/updated", start().Add(time.Minute)), asked.Add(time.Hour))
		assert.Empty(t, l.memory().SubscriptionRows(store, joID), "an old snapshot does not bring it back")
		l.hears(about("subscription/updated", asked.Add(time.Hour)), asked.Add(time.Hour))
		assert.Len(t, l.memory().SubscriptionRows(store, joID), 1)
		assert.Equal(t, []string{"TRUE " + joID, "FALSE " + joID, "TRUE " + joID}, flags(l.all))
	})
}

// Each time that is said is above the one before, by a microsecond at least.
func TestFlagTimes(t *testing.T) {
	l := newLife(t, byID())
	l.settings.SMS = false
	l.hears(ofCustomer("customer/updated", counted(jo(start().Add(time.Hour)), 1)), start().Add(time.Hour))
	l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskFlag, Due: start().Add(2 * time.Hour)}, Complete: true, Subscriptions: []recharge.Subscription{
		*about("subscription/cancelled", start().Add(time.Hour)).Subscription, // a tie, and an older one
		*about("subscription/cancelled", start(), numbered("2")).Subscription,
	}}, start().Add(3*time.Hour))
	l.hears(about("subscription/activated", start().Add(time.Hour+time.Nanosecond)), start().Add(4*time.Hour))
	require.Equal(t, []string{"TRUE " + joID, "FALSE " + joID, "TRUE " + joID}, flags(l.all))
	var times []time.Time
	for _, e := range l.all.Events {
		if e.Property != nil {
			times = append(times, e.OccurredAt)
		}
	}
	at := start().Add(time.Hour)
	assert.Equal(t, []time.Time{at, at.Add(time.Microsecond), at.Add(2 * time.Microsecond)}, times)
}

// A deletion's body has an old time: it happened when it was first received.
func TestFlagAfterDeletion(t *testing.T) {
	l := newLife(t, byID())
	l.settings.SMS = false
	l.hears(about("subscription/created", start()), start())
	received := start().Add(time.Hour + 123*time.Nanosecond)
	l.hears(about("subscription/deleted", start()), received)
	l.hears(about("subscription/deleted", start()), received.Add(time.Hour))
	d := l.learns(subscriber.Answer{Ask: l.asks[0], Complete: true}, start().Add(3*time.Hour))
	require.Equal(t, []string{"FALSE " + joID}, flags(d))
	assert.Equal(t, start().Add(time.Hour), d.Events[0].OccurredAt, "in microseconds")
	l.hears(ofCustomer("customer/updated", counted(jo(start().Add(30*time.Minute)), 1)), start().Add(4*time.Hour))
	assert.Equal(t, []string{"TRUE " + joID, "FALSE " + joID}, flags(l.all), "a count from before the deletion")
}

// A flag that was said and that nobody can be sure of any more is asked for.
func TestFlagNoLongerSure(t *testing.T) {
	l := newLife(t, byID())
	l.settings.SMS = false
	l.hears(about("subscription/created", start()), start())
	l.settings.API = false
	l.hears(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
	require.Empty(t, l.asks)
	l.settings.API = true
	d := l.hears(ofCharge("charge/paid", start().Add(2*time.Hour)), start().Add(2*time.Hour))
	assert.Equal(t, []subscriber.Ask{{Kind: subscriber.AskFlag, Due: start().Add(2 * time.Hour)}}, d.Asks)
}

// After a changed e-mail the flag is said again for the new profile, and taken from the old one.
func TestFlagMoves(t *testing.T) {
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
		{"active no longer", false, []recharge.Webhook{about("subscription/created", start())}, ofCustomer("customer/updated", counted(moved, 0)), []string{"FALSE" + old, "FALSE" + current}},
		{"by another webhook", false, []recharge.Webhook{about("subscription/created", start())}, with(about("subscription/updated", start().Add(time.Minute)), moved), []string{"FALSE" + old, "TRUE" + current}},
		{"an older object", false, []recharge.Webhook{about("subscription/created", start())}, func() recharge.Webhook {
			older := moved
			older.UpdatedAt = start().Add(-time.Hour)
			return ofCustomer("customer/updated", older)
		}(), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byEmail())
			l.settings.KeepOldProfile = test.keep
			l.hears(ofCustomer("customer/created", jo(start())), start())
			for _, w := range test.was {
				l.hears(w, start())
			}
			said := len(flags(l.all))
			d := l.hears(test.w, start().Add(time.Hour))
			assert.Equal(t, test.want, flags(d))
			assert.Equal(t, test.want, append([]string(nil), flags(l.all)[said:]...))
			requireGrowing(t, l.all)
			assert.Empty(t, flags(l.hears(test.w, start().Add(2*time.Hour))), "said")
			for _, e := range l.hears(about("subscription/activated", start().Add(3*time.Hour)), start().Add(3*time.Hour)).Events {
				if test.want != nil {
					assert.Equal(t, map[string]string{"registered": "jo@example.org"}, e.CustomerIDs, "what is new goes to the new one")
				}
			}
		})
	}
	t.Run("a store that knows them by id", func(t *testing.T) {
		l := newLife(t, byID())
		l.hears(ofCustomer("customer/created", counted(jo(start()), 1)), start())
		assert.Empty(t, flags(l.hears(ofCustomer("customer/updated", moved), start())))
	})
}

// requireGrowing wants each time of a flag above the one before it.
func requireGrowing(t require.TestingT, d subscriber.Decision) {
	var last time.Time
	for _, e := range d.Events {
		if e.Property != nil {
			require.GreaterOrEqual(t, e.OccurredAt.Sub(last), time.Microsecond)
			require.Equal(t, e.OccurredAt, e.OccurredAt.Truncate(time.Microsecond), "Bloomreach knows microseconds")
			last = e.OccurredAt
		}
	}
}

// A flag that would have no destination is worth asking who the customer is; if nobody can tell, it waits for whoever does.
func TestFlagWithoutDestination(t *testing.T) {
	active := about("subscription/updated", start())
	l := newLife(t, byEmail())
	_, _, err := subscriber.Decide(l.settings, l.memory(), active, start())
	require.Equal(t, &subscriber.LookupNeeded{CustomerID: joID}, err)

	t.Run("told by the API", func(t *testing.T) {
		l := newLife(t, byEmail())
		c := jo(start())
		l.answers = func(a subscriber.Ask) subscriber.Answer { return subscriber.Answer{Ask: a, Customer: &c} }
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, flags(l.hears(active, start())))
	})
	t.Run("nobody knows", func(t *testing.T) {
		l := newLife(t, byEmail())
		l.answers = func(a subscriber.Ask) subscriber.Answer { return subscriber.Answer{Ask: a} }
		assert.Equal(t, subscriber.SkipNoFact, l.hears(active, start()).Skip)
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, flags(l.hears(ofCustomer("customer/updated", jo(start())), start())))
	})
	t.Run("nobody to ask", func(t *testing.T) {
		l := newLife(t, byEmail())
		l.settings.API = false
		assert.Equal(t, subscriber.SkipNoFact, l.hears(active, start()).Skip)
	})
	t.Run("learnt, and then told by the API", func(t *testing.T) {
		answer := subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskFlag, Due: start()}, Subscriptions: []recharge.Subscription{*active.Subscription}, Complete: true}
		_, _, err := subscriber.Learn(byEmail(), &subscriber.Memory{}, joID, answer, start())
		require.Equal(t, &subscriber.LookupNeeded{CustomerID: joID}, err)
		d, _, err := subscriber.Learn(byEmail(), knows(byEmail(), jo(start())), joID, answer, start())
		require.NoError(t, err)
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, flags(d))
		nobody := subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}}
		_, asked, err := subscriber.Learn(byEmail(), &subscriber.Memory{}, joID, nobody, start())
		require.NoError(t, err)
		d, _, err = subscriber.Learn(byEmail(), asked, joID, answer, start())
		require.NoError(t, err, "what was parked is released once")
		assert.Equal(t, subscriber.SkipLearnt, d.Skip)
	})
	t.Run("a body that names no customer", func(t *testing.T) {
		w := about("subscription/updated", start(), func(s *recharge.Subscription) { s.CustomerID, s.Email = "", "jo@example.com" })
		d, _, err := subscriber.Decide(byEmail(), &subscriber.Memory{}, w, start())
		require.NoError(t, err)
		assert.Equal(t, subscriber.Decision{Skip: subscriber.SkipNoFact}, d)
	})
}

// A store that doesn't want the flag isn't told, nor is anybody asked.
func TestFlagNotWanted(t *testing.T) {
	l := newLife(t, byID())
	l.settings.ActiveProperty, l.settings.SMS = false, false
	assert.Equal(t, subscriber.SkipPropertyOff, l.hears(ofCustomer("customer/deactivated", jo(start())), start()).Skip)
	assert.Equal(t, subscriber.SkipPropertyOff, l.hears(ofCustomer("customer/created", jo(start())), start()).Skip)
	l.hears(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
	assert.Empty(t, flags(l.all))
	assert.Empty(t, l.asks)
}
