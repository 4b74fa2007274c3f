package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
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
	assert.Equal(t, "cancelled", subscription.Status)
	assert.Equal(t, start().Add(time.Hour), subscription.CancelledAt)
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
