package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// The public tables have the current rows, and none of deleted subscriptions.
func TestTables(t *testing.T) {
	r := newRun(t, byEmail())
	assert.Nil(t, r.state().CustomerRow(store, joID))
	assert.Empty(t, r.state().SubscriptionRows(store, joID))
	r.receives(ofCustomer("customer/created", jo(start())), start())
	row := r.state().CustomerRow(store, joID)
	require.NotNil(t, row)
	assert.Nil(t, row.SubscriptionActive, "unknown")
	assert.Equal(t, "jo.bean@example.com", row.Email)
	assert.Equal(t, "+15035550100", row.Phone)
	assert.Equal(t, start(), row.UpdatedAt)

	r.receives(about("subscription/created", start()), start())
	assert.True(t, *r.state().CustomerRow(store, joID).SubscriptionActive)
	r.receives(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
	subscription := r.state().SubscriptionRows(store, joID)["784594001"]
	assert.Equal(t, "canceled", subscription.Status)
	assert.Equal(t, start().Add(time.Hour), subscription.CanceledAt)
	assert.Equal(t, "Beans", subscription.ProductTitle)

	r.receives(about("subscription/deleted", start()), start().Add(2*time.Hour))
	assert.Empty(t, r.state().SubscriptionRows(store, joID))
	assert.NotContains(t, string(r.rows.Rows["subscription/acme/"+joID+"/784594001"]), "Beans", "the row has only the deletion")
	r.receives(about("subscription/updated", start().Add(24*time.Hour)), start().Add(24*time.Hour))
	assert.Empty(t, r.state().SubscriptionRows(store, joID), "deleted is final")
}

// Of two snapshots of one instant the topic wins, then the bytes: deleted, canceled, activated, created, anything else.
func TestSnapshotsOfOneInstant(t *testing.T) {
	topics := []recharge.Topic{"subscription/deleted", "subscription/cancelled", "subscription/activated", "subscription/created", "subscription/updated"}
	shows := func(topic recharge.Topic) recharge.Webhook {
		return about(topic, start(), func(s *recharge.Subscription) { s.ProductTitle = string(topic) })
	}
	shown := func(w ...recharge.Webhook) string {
		r := newRun(t, byID())
		r.settings.SMS = false
		for _, each := range w {
			r.receives(each, start())
		}
		return r.state().SubscriptionRows(store, joID)["784594001"].ProductTitle
	}
	for i, first := range topics {
		for _, second := range topics[i+1:] {
			want := string(first)
			if first == "subscription/deleted" {
				want = ""
			}
			assert.Equal(t, want, shown(shows(first), shows(second)))
			assert.Equal(t, want, shown(shows(second), shows(first)))
		}
	}
}

// The final state has the same snapshot in any order of receipt, however alike the snapshots are.
func TestSnapshotsHaveOneOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshots := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) recharge.Webhook {
			topic := rapid.SampledFrom([]recharge.Topic{
				"subscription/deleted", "subscription/cancelled", "subscription/activated", "subscription/created", "subscription/updated", "subscription/paused",
			}).Draw(t, "topic")
			at := start().Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "at")) * time.Second)
			return about(topic, at, func(s *recharge.Subscription) {
				s.Price = rapid.SampledFrom([]string{"1.00", "2.00", "3.00"}).Draw(t, "price")
				s.Status = rapid.SampledFrom([]string{"active", "cancelled", "expired"}).Draw(t, "status")
			})
		}), 1, 5).Draw(t, "snapshots")
		after := func(order []recharge.Webhook) *run {
			r := newRun(t, byID())
			r.settings.SMS = false
			for i, w := range order {
				r.receives(w, start().Add(time.Duration(i)*time.Minute))
			}
			return r
		}
		one := after(snapshots)
		two := after(rapid.Permutation(snapshots).Draw(t, "order"))
		require.Equal(t, one.state().SubscriptionRows(store, joID), two.state().SubscriptionRows(store, joID))
		require.Equal(t, one.state().CustomerRow(store, joID), two.state().CustomerRow(store, joID))
		require.Equal(t, one.state().SubscriptionRows(store, joID), after(append(snapshots, snapshots...)).state().SubscriptionRows(store, joID))
	})
}

// Incomplete customer objects and mentions of e-mails and addresses give the same state in any order.
func TestCustomersHaveOneOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) recharge.Webhook {
			at := start().Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Second)
			if rapid.Bool().Draw(t, "only a mention") {
				return ofCharge("charge/created", at, func(c *recharge.Charge) {
					c.Email = rapid.SampledFrom([]string{"", "a@example.com", "b@example.com"}).Draw(t, "mentioned")
					c.Contact.Billing = recharge.Address{Country: rapid.SampledFrom([]string{"", "US", "CA"}).Draw(t, "country"), Zip: rapid.SampledFrom([]string{"", "1"}).Draw(t, "zip")}
				})
			}
			c := jo(at)
			c.Email = rapid.SampledFrom([]string{"", "c@example.com", "d@example.com"}).Draw(t, "e-mail")
			c.FirstName = rapid.SampledFrom([]string{"", "Jo", "Joanna"}).Draw(t, "first name")
			c.LastName = rapid.SampledFrom([]string{"", "Bean"}).Draw(t, "last name")
			c.PlatformID = rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "platform id")
			c.Country = rapid.SampledFrom([]string{"", "Chile", "Uruguay"}).Draw(t, "country")
			c.PhoneKnown = rapid.Bool().Draw(t, "phone known")
			if !c.PhoneKnown || rapid.Bool().Draw(t, "phone empty") {
				c.Phone = ""
			}
			if rapid.Bool().Draw(t, "counted") {
				c = counted(c, rapid.IntRange(0, 2).Draw(t, "active"))
			}
			topic := rapid.SampledFrom([]recharge.Topic{"customer/created", "customer/updated", "customer/activated", "customer/deactivated"}).Draw(t, "topic")
			return ofCustomer(topic, c)
		}), 1, 6).Draw(t, "objects")
		after := func(order []recharge.Webhook) *run {
			r := newRun(t, byID())
			r.settings.SMS = false
			for i, w := range order {
				r.receives(w, start().Add(time.Duration(i)*time.Minute))
			}
			return r
		}
		one, two := after(objects), after(rapid.Permutation(append(objects, objects[0])).Draw(t, "order"))
		require.Equal(t, one.state().CustomerRow(store, joID), two.state().CustomerRow(store, joID))
		first, second := one.state().Customer, two.state().Customer
		first.FirstAt, second.FirstAt, first.ActiveProperty, second.ActiveProperty = time.Time{}, time.Time{}, nil, nil // which depend on the order
		require.Equal(t, first, second)
	})
}

// Only rows that differ are written again, and those of what is gone are removed.
func TestChangedRows(t *testing.T) {
	withActive := func(active bool) *subscriber.State {
		return &subscriber.State{
			Customer: subscriber.CustomerState{
				Seen: true, Email: "jo@example.com", UpdatedAt: start(), Count: &subscriber.Count{Active: map[bool]int{true: 1}[active], At: start().Add(time.Hour)},
			},
			Subscriptions: map[string]subscriber.SubscriptionState{
				"1": {Subscription: subscriber.Subscription{ID: "1"}, Status: "active", UpdatedAt: start()},
				"2": {Subscription: subscriber.Subscription{ID: "2"}, Status: "deleted", UpdatedAt: start()},
			},
		}
	}
	changed := func(change func(*subscriber.State)) (written, removed []string) {
		before, after := withActive(true), withActive(true)
		change(after)
		for _, row := range subscriber.ChangedRows(store, joID, before, after) {
			if row.Value == nil {
				removed = append(removed, row.SubscriptionID)
				continue
			}
			written = append(written, row.SubscriptionID)
		}
		return written, removed
	}
	for _, c := range []struct {
		name             string
		change           func(*subscriber.State)
		written, removed []string
	}{
		{name: "nothing", change: func(*subscriber.State) {}},
		{name: "what is no part of a row", change: func(st *subscriber.State) { st.Customer.Hash = "x" }},
		{name: "the customer", change: func(st *subscriber.State) { st.Customer.Zip, st.Customer.Phone = "1", "+15035550100" }, written: []string{""}},
		{name: "whether one is active", change: func(st *subscriber.State) { *st = *withActive(false) }, written: []string{""}},
		{name: "the customer is gone", change: func(st *subscriber.State) { st.Customer.DeletedAt = start() }, removed: []string{""}},
		{name: "a subscription", change: func(st *subscriber.State) {
			s := st.Subscriptions["1"]
			s.SKU = "HB-1"
			st.Subscriptions["1"] = s
		}, written: []string{"1"}},
		{name: "a new one and one restored", change: func(st *subscriber.State) {
			st.Subscriptions["3"], st.Subscriptions["2"] = st.Subscriptions["1"], st.Subscriptions["1"]
		}, written: []string{"2", "3"}},
		{name: "one is deleted", change: func(st *subscriber.State) { st.Subscriptions["1"] = st.Subscriptions["2"] }, removed: []string{"1"}},
		{name: "all are forgotten", change: func(st *subscriber.State) { *st = subscriber.State{} }, removed: []string{"", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			written, removed := changed(c.change)
			assert.Equal(t, c.written, written)
			assert.Equal(t, c.removed, removed)
		})
	}
}
