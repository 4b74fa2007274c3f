package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// changes are the customer changes of a decision.
func changes(d subscriber.Decision) []subscriber.Event {
	var found []subscriber.Event
	for _, e := range d.Events {
		if e.Type == subscriber.EventCustomerChange {
			found = append(found, e)
		}
	}
	return found
}

// What is told of a customer of whom an object was met before.
func TestCustomerChange(t *testing.T) {
	later := start().Add(time.Hour)
	tests := []struct {
		name    string
		change  func(*recharge.Customer)
		changed []string // nil: nothing is told
		old     string
		skip    subscriber.Skip
	}{
		{"nothing", func(*recharge.Customer) {}, nil, "", subscriber.SkipNothingChanged},
		{"e-mail", func(c *recharge.Customer) { c.Email = "jo@example.org" }, []string{"email"}, "jo.bean@example.com", ""},
		{"e-mail, by case and blanks", func(c *recharge.Customer) { c.Email = " Jo.Bean@EXAMPLE.com" }, nil, "", subscriber.SkipNothingChanged},
		{"first name", func(c *recharge.Customer) { c.FirstName = "Joanna" }, []string{"first_name"}, "", ""},
		{"last name removed", func(c *recharge.Customer) { c.LastName = "" }, []string{"last_name"}, "", ""},
		{"names absent", func(c *recharge.Customer) { c.FirstName, c.LastName = "", "" }, nil, "", subscriber.SkipNothingChanged},
		{"phone", func(c *recharge.Customer) { c.Phone = "+15035550199" }, []string{"phone"}, "", ""},
		{"phone removed", func(c *recharge.Customer) { c.Phone = "" }, []string{"phone"}, "", ""},
		{"phone absent", func(c *recharge.Customer) { c.Phone, c.PhoneKnown = "", false }, nil, "", subscriber.SkipNothingChanged},
		{"Shopify id", func(c *recharge.Customer) { c.PlatformID = "77" }, []string{"platform_id"}, "", ""},
		{"Shopify id absent", func(c *recharge.Customer) { c.PlatformID = "" }, nil, "", subscriber.SkipNothingChanged},
		{"several", func(c *recharge.Customer) { c.Email, c.LastName = "jo@example.org", "Been" }, []string{"email", "last_name"}, "jo.bean@example.com", ""},
		{"count", func(c *recharge.Customer) { *c = counted(*c, 2) }, nil, "", ""},
		{"an older object", func(c *recharge.Customer) { c.Email, c.UpdatedAt = "old@example.com", start().Add(-time.Hour) }, nil, "", subscriber.SkipNothingChanged},
		{"without its time", func(c *recharge.Customer) { c.Email, c.UpdatedAt = "jo@example.org", time.Time{} }, []string{"email"}, "jo.bean@example.com", ""},
	}
	for _, test := range tests {
		for _, topic := range []recharge.Topic{"customer/updated", "customer/activated", "subscription/updated"} {
			t.Run(test.name+", "+string(topic), func(t *testing.T) {
				l := newLife(t, byEmail())
				l.settings.SMS = false
				l.hears(ofCustomer("customer/created", jo(start())), start())
				c := jo(later)
				test.change(&c)
				w := ofCustomer(topic, c)
				if topic == "subscription/updated" {
					w = with(about(topic, start().Add(-time.Minute)), c)
				}
				decision := l.hears(w, later.Add(time.Second))
				found := changes(decision)
				if test.changed == nil {
					require.Empty(t, found)
					if topic == "customer/updated" {
						assert.Equal(t, test.skip, decision.Skip)
					}
					return
				}
				require.Len(t, found, 1)
				e := found[0]
				assert.Equal(t, test.changed, e.Customer.Changed)
				assert.Equal(t, test.old, e.Customer.OldEmail)
				assert.NotEmpty(t, e.Customer.PlatformID)
				assert.NotEmpty(t, e.Customer.FirstName)
				assert.Equal(t, map[string]string{"registered": e.Customer.Email}, e.CustomerIDs, "the new one")
				if !c.UpdatedAt.IsZero() {
					assert.Equal(t, c.UpdatedAt, e.OccurredAt)
				}
				assert.Empty(t, changes(l.hears(ofCustomer("customer/updated", c), later.Add(time.Minute))), "told")
			})
		}
	}
}

// What an object lacks that is told again later did not change in between.
func TestCustomerChangeOfWhatWasAbsent(t *testing.T) {
	l := newLife(t, byEmail())
	l.hears(ofCustomer("customer/created", jo(start())), start())
	bare := recharge.Customer{ID: joID, Email: "jo.bean@example.com", UpdatedAt: start().Add(time.Hour)}
	assert.Equal(t, subscriber.SkipNothingChanged, l.hears(ofCustomer("customer/updated", bare), start().Add(time.Hour)).Skip)
	assert.Equal(t, subscriber.SkipNothingChanged, l.hears(ofCustomer("customer/updated", jo(start().Add(2*time.Hour))), start().Add(2*time.Hour)).Skip)
}

// An older object may tell what the newest lacks: that is learnt, not changed.
func TestOlderObjectIsNoChange(t *testing.T) {
	l := newLife(t, byEmail())
	bare := recharge.Customer{ID: joID, Email: "jo.bean@example.com", PlatformID: "5213433266347", UpdatedAt: start().Add(time.Hour)}
	l.hears(ofCustomer("customer/created", bare), start().Add(time.Hour))
	assert.Equal(t, subscriber.SkipNothingChanged, l.hears(ofCustomer("customer/updated", jo(start())), start().Add(2*time.Hour)).Skip)
	assert.Equal(t, "Bean", l.memory().Customer.LastName)
}

// Of a customer of whom nothing was known, an update tells that something changed, but not what.
func TestCustomerChangeAtFirstSight(t *testing.T) {
	updated := ofCustomer("customer/updated", jo(start()))
	tests := []struct {
		name   string
		before func(*life)
		want   int
	}{
		{"nothing known", func(*life) {}, 1},
		{"the same object seen by another webhook", func(l *life) { l.hears(with(about("subscription/created", start()), jo(start())), start()) }, 1},
		{"the same object told by the API", func(l *life) {
			c := jo(start())
			l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}, Customer: &c}, start())
		}, 1},
		{"a newer object seen by another webhook", func(l *life) {
			l.hears(with(about("subscription/created", start()), jo(start().Add(time.Hour))), start())
		}, 1},
		{"just created", func(l *life) { l.hears(ofCustomer("customer/created", jo(start())), start()) }, 0},
		{"an older object, the same", func(l *life) {
			l.hears(with(about("subscription/created", start()), jo(start().Add(-time.Hour))), start())
		}, 0},
		{"told already", func(l *life) { l.hears(updated, start()) }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byEmail())
			test.before(l)
			found := changes(l.hears(updated, start().Add(time.Second)))
			require.Len(t, found, test.want)
			if test.want > 0 {
				assert.Empty(t, found[0].Customer.Changed)
				assert.Empty(t, found[0].Customer.OldEmail)
				assert.Equal(t, start(), found[0].OccurredAt)
			}
			assert.Empty(t, changes(l.hears(updated, start().Add(time.Minute))), "told once")
		})
	}
	t.Run("others than an update tell nothing", func(t *testing.T) {
		for _, topic := range []recharge.Topic{"customer/created", "customer/activated", "customer/deactivated"} {
			assert.Empty(t, changes(newLife(t, byEmail()).hears(ofCustomer(topic, jo(start())), start())), topic)
		}
	})
}

// An e-mail that only a charge or an old subscription mentioned is known, and may be another now.
func TestCustomerChangeOfMentionedEmail(t *testing.T) {
	l := newLife(t, byEmail())
	l.settings.SMS = false
	l.hears(about("subscription/created", start(), func(s *recharge.Subscription) { s.Email = "Old@example.com" }), start())
	found := changes(l.hears(ofCustomer("customer/activated", jo(start().Add(time.Hour))), start().Add(time.Hour)))
	require.Len(t, found, 1)
	assert.Equal(t, []string{"email"}, found[0].Customer.Changed)
	assert.Equal(t, "old@example.com", found[0].Customer.OldEmail)
}

// Without a customer object, the newest mention of an e-mail counts; with one, none does.
func TestMentionedEmail(t *testing.T) {
	mention := func(email string, at time.Time) recharge.Webhook {
		return about("subscription/updated", at, func(s *recharge.Subscription) { s.Email = email })
	}
	at := start()
	l := newLife(t, byEmail())
	l.hears(mention("one@example.com", at), at)
	l.hears(mention("two@example.com", at.Add(2*time.Hour)), at.Add(3*time.Hour))
	l.hears(mention("late@example.com", at.Add(time.Hour)), at.Add(4*time.Hour))
	assert.Equal(t, "two@example.com", l.memory().Customer.Email)
	l.hears(ofCustomer("customer/updated", jo(at.Add(time.Minute))), at.Add(5*time.Hour))
	l.hears(mention("three@example.com", at.Add(6*time.Hour)), at.Add(6*time.Hour))
	assert.Equal(t, "jo.bean@example.com", l.memory().Customer.Email)
}

// A shop that isn't on Shopify hears of no changes.
func TestCustomerChangeNeedsShopify(t *testing.T) {
	l := newLife(t, byEmail())
	c := jo(start())
	c.PlatformID = ""
	assert.Equal(t, subscriber.SkipNoShopify, l.hears(ofCustomer("customer/updated", c), start()).Skip)
	c.Email, c.UpdatedAt = "jo@example.org", start().Add(time.Hour)
	assert.Equal(t, subscriber.SkipNoShopify, l.hears(ofCustomer("customer/updated", c), start().Add(time.Hour)).Skip)
}

// The customer object of somebody else says nothing of this customer.
func TestAnotherCustomersObject(t *testing.T) {
	l := newLife(t, byID())
	other := jo(start())
	other.ID, other.Email = "5", "other@example.com"
	l.settings.SMS = false
	l.hears(with(about("subscription/created", start()), other), start())
	assert.Empty(t, l.memory().Customer.Email)
	assert.False(t, l.memory().Customer.Seen)
}
