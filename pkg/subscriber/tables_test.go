package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// The public tables show what is known, and nothing of what is gone.
func TestTables(t *testing.T) {
	l := newLife(t, byEmail())
	assert.Nil(t, l.memory().Row(store, joID))
	assert.Empty(t, l.memory().SubscriptionRows(store, joID))
	l.hears(ofCustomer("customer/created", jo(start())), start())
	row := l.memory().Row(store, joID)
	require.NotNil(t, row)
	assert.Nil(t, row.SubscriptionActive, "nobody can tell")
	assert.Equal(t, "jo.bean@example.com", row.Email)
	assert.Equal(t, "+15035550100", row.Phone)
	assert.Equal(t, start(), row.UpdatedAt)

	l.hears(about("subscription/created", start()), start())
	assert.True(t, *l.memory().Row(store, joID).SubscriptionActive)
	l.hears(about("subscription/cancelled", start().Add(time.Hour)), start().Add(time.Hour))
	subscription := l.memory().SubscriptionRows(store, joID)["784594001"]
	assert.Equal(t, "cancelled", subscription.Status)
	assert.Equal(t, start().Add(time.Hour), subscription.CancelledAt)
	assert.Equal(t, "Beans", subscription.ProductTitle)

	l.hears(about("subscription/deleted", start()), start().Add(2*time.Hour))
	assert.Empty(t, l.memory().SubscriptionRows(store, joID))
	assert.NotContains(t, string(l.rows.rows["subscription/acme/"+joID+"/784594001"]), "Beans", "only that it was")
	l.hears(about("subscription/updated", start().Add(24*time.Hour)), start().Add(24*time.Hour))
	assert.Empty(t, l.memory().SubscriptionRows(store, joID), "deleted is final")
}

// Of two snapshots of one instant the topic decides, then the bytes: deleted, canceled, activated, created, anything else.
func TestTies(t *testing.T) {
	topics := []recharge.Topic{"subscription/deleted", "subscription/cancelled", "subscription/activated", "subscription/created", "subscription/updated"}
	shows := func(topic recharge.Topic) recharge.Webhook {
		return about(topic, start(), func(s *recharge.Subscription) { s.ProductTitle = string(topic) })
	}
	shown := func(w ...recharge.Webhook) string {
		l := newLife(t, byID())
		l.settings.SMS = false
		for _, each := range w {
			l.hears(each, start())
		}
		return l.memory().SubscriptionRows(store, joID)["784594001"].ProductTitle
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

// Whatever the snapshots, however alike: one of them is known in the end, whichever comes first.
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
		heard := func(order []recharge.Webhook) *life {
			l := newLife(t, byID())
			l.settings.SMS = false
			for i, w := range order {
				l.hears(w, start().Add(time.Duration(i)*time.Minute))
			}
			return l
		}
		one := heard(snapshots)
		two := heard(rapid.Permutation(snapshots).Draw(t, "order"))
		require.Equal(t, one.memory().SubscriptionRows(store, joID), two.memory().SubscriptionRows(store, joID))
		require.Equal(t, one.memory().Row(store, joID), two.memory().Row(store, joID))
		require.Equal(t, one.memory().SubscriptionRows(store, joID), heard(append(snapshots, snapshots...)).memory().SubscriptionRows(store, joID))
	})
}

// Customer objects that lack this or that, mentions of an e-mail and an address: known the same in any order.
func TestCustomersHaveOneOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) recharge.Webhook {
			at := start().Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Second)
			if rapid.Bool().Draw(t, "only a mention") {
				return ofCharge("charge/created", at, func(c *recharge.Charge) {
					c.Email = rapid.SampledFrom([]string{"", "a@example.com", "b@example.com"}).Draw(t, "mentioned")
					c.Contact = recharge.Contact{Country: rapid.SampledFrom([]string{"", "US", "CA"}).Draw(t, "country"), Zip: rapid.SampledFrom([]string{"", "1"}).Draw(t, "zip")}
				})
			}
			c := jo(at)
			c.Email = rapid.SampledFrom([]string{"", "c@example.com", "d@example.com"}).Draw(t, "e-mail")
			c.FirstName = rapid.SampledFrom([]string{"", "Jo", "Joanna"}).Draw(t, "first name")
			c.LastName = rapid.SampledFrom([]string{"", "Bean"}).Draw(t, "last name")
			c.PlatformID = rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "platform id")
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
		heard := func(order []recharge.Webhook) *life {
			l := newLife(t, byID())
			l.settings.SMS = false
			for i, w := range order {
				l.hears(w, start().Add(time.Duration(i)*time.Minute))
			}
			return l
		}
		one, two := heard(objects), heard(rapid.Permutation(append(objects, objects[0])).Draw(t, "order"))
		require.Equal(t, one.memory().Row(store, joID), two.memory().Row(store, joID))
		first, second := one.memory().Customer, two.memory().Customer
		first.FirstAt, second.FirstAt, first.Flag, second.Flag = time.Time{}, time.Time{}, nil, nil // which tell of the order
		require.Equal(t, first, second)
	})
}
