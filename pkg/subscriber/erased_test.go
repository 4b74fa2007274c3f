package subscriber_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// erasedJo is the customer after their personal data was erased.
func erasedJo(at time.Time) recharge.Customer {
	return recharge.Customer{ID: joID, PlatformID: "5213433266347", PhoneKnown: true, Erased: true, CreatedAt: start(), UpdatedAt: at}
}

// An erased customer gets no event with an e-mail and no text, and their row has no personal data.
func TestErased(t *testing.T) {
	at := start().AddDate(0, 0, 19)
	erasable := func(t *testing.T, s subscriber.Settings) *run {
		r := newRun(t, s)
		r.receives(ofCustomer("customer/created", counted(jo(start()), 1)), start())
		r.receives(about("subscription/created", start()), start())
		charged := ofCharge("charge/created", start(), func(c *recharge.Charge) {
			c.Contact = recharge.Contact{Billing: recharge.Address{Country: "US", Zip: "97201"}}
		})
		r.receives(charged, start())
		r.all = subscriber.Decision{}
		return r
	}
	erasure := ofCustomer("customer/updated", counted(erasedJo(at), 0))
	t.Run("by e-mail", func(t *testing.T) {
		r := erasable(t, byEmail())
		d := r.receives(erasure, at)
		assert.Empty(t, d.Events)
		require.Len(t, d.Revocations, 1, "of all texts")
		for i, w := range []recharge.Webhook{
			about("subscription/cancelled", at.Add(time.Hour), func(s *recharge.Subscription) { s.Email = "jo.bean@example.com" }),
			ofCharge("charge/paid", at.Add(time.Hour), func(c *recharge.Charge) { c.Email = "jo.bean@example.com" }),
			ofCharge("charge/failed", at.Add(time.Hour), func(c *recharge.Charge) { c.ID = "7" }),
			ofCustomer("customer/updated", jo(start().Add(time.Hour))), // late
			ofCustomer("customer/updated", jo(at)),                     // of the same time
			erasure,
		} {
			d := r.receives(w, at.AddDate(0, 0, i))
			assert.Empty(t, d.Events, w.Topic)
			assert.Empty(t, d.Triggers, w.Topic)
		}
		assert.Empty(t, r.requests, "nobody to look up")
	})
	t.Run("by e-mail, with extras", func(t *testing.T) {
		s := byEmail()
		s.Extras = []string{"upcoming"}
		r := erasable(t, s)
		r.receives(erasure, at)
		r.receives(ofCharge("charge/upcoming", at.Add(time.Hour)), at.Add(time.Hour))
		require.Len(t, r.all.Facts, 1, "for the data team")
		assert.Empty(t, r.all.Facts[0].Email)
		assert.Empty(t, r.requests, "nobody to look up")
	})
	t.Run("by id", func(t *testing.T) {
		r := erasable(t, byID())
		d := r.receives(erasure, at)
		assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
		assert.Empty(t, changes(d))
		assert.Equal(t, []string{"canceled"}, statuses(r.receives(about("subscription/cancelled", at.Add(time.Hour)), at.Add(time.Hour))))
		r.receives(ofCharge("charge/paid", at.Add(time.Hour), func(c *recharge.Charge) { c.Email = "jo.bean@example.com" }), at.Add(time.Hour))
		assert.Empty(t, r.all.Triggers)
		for _, e := range r.all.Events {
			assert.Empty(t, e.Email)
		}
	})
	t.Run("no personal data is left", func(t *testing.T) {
		for _, s := range []subscriber.Settings{byEmail(), byID()} {
			r := erasable(t, s)
			r.receives(erasure, at)
			r.receives(ofCharge("charge/created", at.Add(time.Hour), func(c *recharge.Charge) {
				c.ID, c.Email, c.CustomerHash, c.Contact = "8", "jo.bean@example.com", "f99bd4a6", recharge.Contact{Billing: recharge.Address{Country: "US", Zip: "97201"}}
			}), at.Add(time.Hour))
			row := r.state().CustomerRow(store, joID)
			assert.Empty(t, row.Email+row.FirstName+row.LastName+row.Phone)
			assert.Len(t, r.state().SubscriptionRows(store, joID), 1, "the subscription goes on")
			saved, err := json.Marshal(r.state().Customer)
			require.NoError(t, err)
			for _, personal := range []string{"example.com", "Bean", "5550100", "f99bd4a6", "97201"} {
				assert.NotContains(t, string(saved), personal)
			}
		}
	})
	t.Run("the rest is kept", func(t *testing.T) {
		r := newRun(t, byID())
		r.receives(ofCustomer("customer/updated", counted(jo(start()), 1)), start())
		r.imports(imported(), start())
		r.receives(ofCustomer("customer/activated", counted(jo(start()), 1)), start())
		r.receives(failing("5", 1, "CARD_DECLINED", start()), start())
		r.receives(ofCharge("charge/max_retries_reached", start(), func(c *recharge.Charge) { c.ID = "6" }), start())
		want := r.state().Customer
		require.True(t, want.Activated && want.ActiveProperty.Value && want.Count != nil && !want.CompleteAt.IsZero() && !want.FirstAt.IsZero())
		require.NotEmpty(t, want.Failures)
		require.NotEmpty(t, want.FailedCharges)
		want.Email, want.FirstName, want.LastName, want.Phone, want.Hash, want.Country, want.Province, want.Zip = "", "", "", "", "", "", "", ""
		want.AddressAt, want.AddressSeen, want.Older, want.UpdatedAt, want.ErasedAt = time.Time{}, false, nil, at, at
		d := r.receives(ofCustomer("customer/updated", erasedJo(at)), at)
		assert.Equal(t, want, r.state().Customer)
		assert.Empty(t, d.Events, "the property is unchanged")
	})
	t.Run("the first record", func(t *testing.T) {
		r := newRun(t, byEmail())
		assert.Equal(t, reason.CustomerErased, r.receives(ofCustomer("customer/created", counted(erasedJo(at), 1)), at).Skip)
		assert.Equal(t, reason.CustomerErased, r.receives(about("subscription/created", at), at).Skip, "no lookup, no dead letter")
	})
	t.Run("shown by a lookup", func(t *testing.T) {
		r := newRun(t, byEmail())
		c := erasedJo(at)
		r.answers = func(request recharge.LookupRequest) recharge.Lookup {
			return recharge.Lookup{LookupRequest: request, Customer: &c}
		}
		assert.Equal(t, reason.CustomerErased, r.receives(about("subscription/created", at), at).Skip)
		for _, s := range []subscriber.Settings{byEmail(), byID()} {
			d := erasable(t, s).applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}, at)
			assert.Empty(t, changes(d))
		}
	})
	t.Run("the customer comes back", func(t *testing.T) {
		r := erasable(t, byEmail())
		r.receives(erasure, at)
		back := jo(at.Add(time.Hour))
		back.Email = "jo@example.org"
		d := r.receives(ofCustomer("customer/updated", counted(back, 1)), at.Add(time.Hour))
		assert.Equal(t, []string{"TRUE jo@example.org"}, r.propertyValues(d))
		for _, e := range d.Events {
			assert.Equal(t, "jo@example.org", e.Email)
			if e.Customer != nil {
				assert.Empty(t, e.Customer.OldEmail)
				assert.Equal(t, []string{"first_name", "last_name", "phone"}, e.Customer.Changed)
			}
		}
	})
	t.Run("an older object shows it", func(t *testing.T) {
		r := erasable(t, byEmail())
		r.receives(ofCustomer("customer/updated", erasedJo(start().Add(-time.Hour))), at)
		assert.Equal(t, "jo.bean@example.com", r.state().Customer.Email)
	})
}

// Whatever the order of objects, the newest one decides whether personal data is left.
func TestErasedInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(t, "minutes")
		r, newest, erased := known(t), -1, false
		for _, minute := range minutes {
			at := start().Add(time.Hour + time.Duration(minute)*time.Minute)
			c := jo(at)
			if rapid.Bool().Draw(t, "erased") {
				c = erasedJo(at)
			}
			if minute > newest {
				newest, erased = minute, c.Erased
			}
			r.receives(ofCustomer("customer/updated", c), start().AddDate(0, 0, 1))
		}
		row := r.state().CustomerRow(store, joID)
		require.Equal(t, erased, row.Email+row.FirstName+row.Phone == "")
	})
}

// A charge, a subscription or an order with the placeholder erases the customer too. The erased address and phone get nothing.
func TestErasedInAResource(t *testing.T) {
	at := start().AddDate(0, 0, 19)
	for _, s := range []subscriber.Settings{byEmail(), byID()} {
		for name, w := range erasedInResources(at) {
			t.Run(string(s.CustomerID)+" "+name, func(t *testing.T) {
				r := newRun(t, s)
				r.receives(ofCustomer("customer/created", counted(jo(start()), 1)), start())
				r.receives(about("subscription/created", start()), start())
				r.all = subscriber.Decision{}
				r.receives(w, at)
				r.receives(ofCharge("charge/paid", at.Add(time.Hour), func(c *recharge.Charge) { c.ID = "8" }), at.Add(time.Hour))
				assert.Empty(t, r.all.Triggers)
				if s.CustomerID == subscriber.ByEmail {
					assert.Empty(t, r.all.Events)
				}
				for _, e := range r.all.Events {
					assert.Empty(t, e.Email)
				}
				saved, err := json.Marshal(r.state().Customer)
				require.NoError(t, err)
				for _, personal := range []string{"example.com", "Bean", "5550100"} {
					assert.NotContains(t, string(saved), personal)
				}
			})
		}
	}
	t.Run("shown by a list of subscriptions", func(t *testing.T) {
		r := known(t)
		r.applies(recharge.Lookup{
			LookupRequest: recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: at},
			Subscriptions: []recharge.Subscription{{ID: "784594001", CustomerID: joID, Status: "active", UpdatedAt: at, Erased: true}},
		}, at)
		assert.Empty(t, r.state().CustomerRow(store, joID).Email)
	})
	t.Run("late, after the customer came back", func(t *testing.T) {
		r := newRun(t, byEmail())
		r.receives(ofCustomer("customer/updated", counted(jo(at.Add(time.Hour)), 1)), at.Add(time.Hour))
		assert.Equal(t, []string{"TRUE jo.bean@example.com"}, r.propertyValues(r.all))
		d := r.receives(ofCharge("charge/paid", at, func(c *recharge.Charge) { c.Erased = true }), at.Add(2*time.Hour))
		assert.Empty(t, d.Events, "the property was emitted")
	})
	t.Run("a text without @ is no e-mail", func(t *testing.T) {
		r := newRun(t, byID())
		c := jo(start())
		c.Email = "redacted"
		r.receives(ofCustomer("customer/created", c), start())
		assert.Empty(t, r.state().Customer.Email)
	})
	t.Run("without a time", func(t *testing.T) {
		r := known(t)
		r.receives(ofCharge("charge/paid", at, func(c *recharge.Charge) { c.Erased, c.UpdatedAt = true, time.Time{} }), at)
		assert.Empty(t, r.state().CustomerRow(store, joID).Email)
	})
	t.Run("a change of data afterwards is a change", func(t *testing.T) {
		r := newRun(t, byID())
		r.receives(ofCharge("charge/paid", at, func(c *recharge.Charge) { c.Erased = true }), at)
		d := r.receives(ofCustomer("customer/updated", jo(at.Add(time.Hour))), at.Add(time.Hour))
		require.Len(t, d.Events, 1)
		assert.NotContains(t, d.Events[0].Customer.Changed, "first_name", "no name was known")
	})
}

// erasedInResources are webhooks whose resource has the placeholder.
func erasedInResources(at time.Time) map[string]recharge.Webhook {
	processed := plain("order/processed", at).webhook
	processed.Order.Erased = true
	return map[string]recharge.Webhook{
		"charge/paid":            ofCharge("charge/paid", at, func(c *recharge.Charge) { c.Erased = true }),
		"charge/failed":          ofCharge("charge/failed", at, func(c *recharge.Charge) { c.Erased = true }),
		"order/processed":        processed,
		"subscription/cancelled": about("subscription/cancelled", at, func(s *recharge.Subscription) { s.Erased = true }),
	}
}

// Whatever the order of objects, a resource with the placeholder erases what is older, has no output with an e-mail, and an object
// of a customer who comes back is kept.
func TestErasedInAResourceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom([]subscriber.Settings{byEmail(), byID()}).Draw(t, "settings")
		s.API = false
		erasedAt := start().Add(time.Hour)
		before, after := jo(start()), jo(start().Add(2*time.Hour))
		after.Email = "jo@example.org"
		comesBack := rapid.Bool().Draw(t, "comes back")
		name := rapid.SampledFrom([]string{"charge/paid", "charge/failed", "order/processed", "subscription/cancelled"}).Draw(t, "resource")
		received := []recharge.Webhook{ofCustomer("customer/created", before), erasedInResources(erasedAt)[name]}
		if comesBack {
			received = append(received, ofCustomer("customer/updated", after))
		}
		r := newRun(t, s)
		for i, w := range mixedUp(received).Draw(t, "received") {
			d := r.receives(w, start().AddDate(0, 0, 1).Add(time.Duration(i)*time.Second))
			if w.Erased() {
				require.Empty(t, d.Triggers)
				for _, e := range d.Events {
					require.True(t, e.Email == "" || e.Property != nil && e.Email == "jo@example.org", e.Email)
				}
			}
		}
		want := ""
		if comesBack {
			want = "jo@example.org"
		}
		require.Equal(t, want, r.state().CustomerRow(store, joID).Email)
	})
}

// A customer who is deleted or whose personal data is erased has no texts any more: one revocation of all, if anything was emitted before.
func TestErasedTexts(t *testing.T) {
	at := start().AddDate(0, 0, 19)
	gone := recharge.Webhook{Topic: "customer/deleted", Customer: &recharge.Customer{ID: joID}}
	erasures := func(d subscriber.Decision) (causes []recharge.Topic) {
		for _, r := range d.Revocations {
			if r.Erased {
				assert.Equal(t, []string{"customer/" + joID}, r.Items)
				assert.Equal(t, joID, r.RechargeCustomerID)
				causes = append(causes, r.Cause)
			}
		}
		return causes
	}
	for name, test := range map[string]struct {
		webhook recharge.Webhook
		cause   recharge.Topic
	}{
		"erased":  {ofCustomer("customer/updated", counted(erasedJo(at), 0)), "customer/updated"},
		"deleted": {gone, "customer/deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byEmail())
			assert.Empty(t, erasures(r.receives(test.webhook, start())), "nothing was emitted")

			r = newRun(t, byEmail())
			r.receives(ofCustomer("customer/created", counted(jo(start()), 1)), start())
			r.receives(about("subscription/created", start()), start())
			assert.Equal(t, []recharge.Topic{test.cause}, erasures(r.receives(test.webhook, at)))
			assert.Empty(t, erasures(r.receives(test.webhook, at.Add(time.Hour))), "once")
		})
	}
}
