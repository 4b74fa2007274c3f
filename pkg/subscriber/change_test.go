package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
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

// The change that is emitted for a customer whose object was received before.
func TestCustomerChange(t *testing.T) {
	later := start().Add(time.Hour)
	tests := []struct {
		name    string
		change  func(*recharge.Customer)
		changed []string // nil: no event
		old     string
		skip    reason.Reason
	}{
		{"nothing", func(*recharge.Customer) {}, nil, "", reason.Unchanged},
		{"e-mail", func(c *recharge.Customer) { c.Email = "jo@example.org" }, []string{"email"}, "jo.bean@example.com", ""},
		{"e-mail, by case and blanks", func(c *recharge.Customer) { c.Email = " Jo.Bean@EXAMPLE.com" }, nil, "", reason.Unchanged},
		{"first name", func(c *recharge.Customer) { c.FirstName = "Joanna" }, []string{"first_name"}, "", ""},
		{"last name removed", func(c *recharge.Customer) { c.LastName = "" }, []string{"last_name"}, "", ""},
		{"names absent", func(c *recharge.Customer) { c.FirstName, c.LastName = "", "" }, nil, "", reason.Unchanged},
		{"phone", func(c *recharge.Customer) { c.Phone = "+15035550199" }, []string{"phone"}, "", ""},
		{"phone removed", func(c *recharge.Customer) { c.Phone = "" }, []string{"phone"}, "", ""},
		{"phone absent", func(c *recharge.Customer) { c.Phone, c.PhoneKnown = "", false }, nil, "", reason.Unchanged},
		{"Shopify id", func(c *recharge.Customer) { c.PlatformID = "77" }, []string{"platform_id"}, "", ""},
		{"Shopify id absent", func(c *recharge.Customer) { c.PlatformID = "" }, nil, "", reason.Unchanged},
		{"several", func(c *recharge.Customer) { c.Email, c.LastName = "jo@example.org", "Been" }, []string{"email", "last_name"}, "jo.bean@example.com", ""},
		{"count", func(c *recharge.Customer) { *c = counted(*c, 2) }, nil, "", ""},
		{"an older object", func(c *recharge.Customer) { c.Email, c.UpdatedAt = "old@example.com", start().Add(-time.Hour) }, nil, "", reason.Unchanged},
		{"without its time", func(c *recharge.Customer) { c.Email, c.UpdatedAt = "jo@example.org", time.Time{} }, []string{"email"}, "jo.bean@example.com", ""},
	}
	for _, test := range tests {
		for _, topic := range []recharge.Topic{"customer/updated", "customer/activated", "subscription/updated"} {
			t.Run(test.name+", "+string(topic), func(t *testing.T) {
				r := newRun(t, byEmail())
				r.settings.SMS = false
				r.receives(ofCustomer("customer/created", jo(start())), start())
				c := jo(later)
				test.change(&c)
				w := ofCustomer(topic, c)
				if topic == "subscription/updated" {
					w = with(about(topic, start().Add(-time.Minute)), c)
				}
				decision := r.receives(w, later.Add(time.Second))
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
				assert.Equal(t, e.Customer.Email, e.Email, "the new e-mail")
				if !c.UpdatedAt.IsZero() {
					assert.Equal(t, c.UpdatedAt, e.OccurredAt)
				}
				assert.Empty(t, changes(r.receives(ofCustomer("customer/updated", c), later.Add(time.Minute))), "duplicate")
			})
		}
	}
}

// A field that one object lacks and a later one has again did not change.
func TestAbsentFieldIsNoChange(t *testing.T) {
	r := newRun(t, byEmail())
	r.receives(ofCustomer("customer/created", jo(start())), start())
	bare := recharge.Customer{ID: joID, Email: "jo.bean@example.com", UpdatedAt: start().Add(time.Hour)}
	assert.Equal(t, reason.Unchanged, r.receives(ofCustomer("customer/updated", bare), start().Add(time.Hour)).Skip)
	assert.Equal(t, reason.Unchanged, r.receives(ofCustomer("customer/updated", jo(start().Add(2*time.Hour))), start().Add(2*time.Hour)).Skip)
}

// An older object may have a field that the newest lacks: it is added to the state, but is no change.
func TestOlderObjectIsNoChange(t *testing.T) {
	r := newRun(t, byEmail())
	bare := recharge.Customer{ID: joID, Email: "jo.bean@example.com", PlatformID: "5213433266347", UpdatedAt: start().Add(time.Hour)}
	r.receives(ofCustomer("customer/created", bare), start().Add(time.Hour))
	assert.Equal(t, reason.Unchanged, r.receives(ofCustomer("customer/updated", jo(start())), start().Add(2*time.Hour)).Skip)
	assert.Equal(t, "Bean", r.state().Customer.LastName)
}

// An update of an unknown customer is emitted as a change without the names of the changed fields.
func TestFirstUpdateOfACustomer(t *testing.T) {
	updated := ofCustomer("customer/updated", jo(start()))
	mentioned := func(at time.Time) func(*run) {
		return func(r *run) {
			r.receives(about("subscription/updated", at, func(s *recharge.Subscription) { s.Email = "jo.bean@example.com" }), start())
		}
	}
	tests := []struct {
		name   string
		before func(*run)
		want   int
	}{
		{"nothing known", func(*run) {}, 1},
		{"the same object by another webhook", func(r *run) { r.receives(with(about("subscription/created", start()), jo(start())), start()) }, 1},
		{"the same object by a lookup", func(r *run) {
			c := jo(start())
			r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}, start())
		}, 1},
		{"a newer object by another webhook", func(r *run) {
			r.receives(with(about("subscription/created", start()), jo(start().Add(time.Hour))), start())
		}, 1},
		{"just created", func(r *run) { r.receives(ofCustomer("customer/created", jo(start())), start()) }, 0},
		{"an older object, the same", func(r *run) {
			r.receives(with(about("subscription/created", start()), jo(start().Add(-time.Hour))), start())
		}, 0},
		{"the e-mail, by an older webhook", mentioned(start().Add(-time.Second)), 0},
		{"the e-mail, by a webhook of the same time", mentioned(start()), 1},
		{"duplicate", func(r *run) { r.receives(updated, start()) }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byEmail())
			test.before(r)
			found := changes(r.receives(updated, start().Add(time.Second)))
			require.Len(t, found, test.want)
			if test.want > 0 {
				assert.Empty(t, found[0].Customer.Changed)
				assert.Empty(t, found[0].Customer.OldEmail)
				assert.Equal(t, start(), found[0].OccurredAt)
			}
			assert.Empty(t, changes(r.receives(updated, start().Add(time.Minute))), "emitted once")
		})
	}
	t.Run("only an update is a change", func(t *testing.T) {
		for _, topic := range []recharge.Topic{"customer/created", "customer/activated", "customer/deactivated"} {
			assert.Empty(t, changes(newRun(t, byEmail()).receives(ofCustomer(topic, jo(start())), start())), topic)
		}
	})
}

// An e-mail that was known only from a charge or a subscription can be changed by a customer object.
func TestCustomerChangeOfMentionedEmail(t *testing.T) {
	r := newRun(t, byEmail())
	r.settings.SMS = false
	r.receives(about("subscription/created", start(), func(s *recharge.Subscription) { s.Email = "Old@example.com" }), start())
	found := changes(r.receives(ofCustomer("customer/activated", jo(start().Add(time.Hour))), start().Add(time.Hour)))
	require.Len(t, found, 1)
	assert.Equal(t, []string{"email"}, found[0].Customer.Changed)
	assert.Equal(t, "old@example.com", found[0].Customer.OldEmail)
}

// A mention that is newer than the first customer object says nothing about the updates between the two.
func TestUpdateOlderThanAMention(t *testing.T) {
	r := newRun(t, byEmail())
	r.receives(about("subscription/updated", minute(60), func(s *recharge.Subscription) { s.Email = "jo.bean@example.com" }), minute(60))
	require.Len(t, changes(r.receives(ofCustomer("customer/updated", jo(start())), minute(61))), 1, "nothing older is known")
	assert.Equal(t, reason.Unchanged, r.receives(ofCustomer("customer/updated", jo(minute(30))), minute(62)).Skip)
}

// Without a customer object, the newest mention of an e-mail counts; with one, none does.
func TestMentionedEmail(t *testing.T) {
	mention := func(email string, at time.Time) recharge.Webhook {
		return about("subscription/updated", at, func(s *recharge.Subscription) { s.Email = email })
	}
	at := start()
	r := newRun(t, byEmail())
	r.receives(mention("one@example.com", at), at)
	r.receives(mention("two@example.com", at.Add(2*time.Hour)), at.Add(3*time.Hour))
	r.receives(mention("late@example.com", at.Add(time.Hour)), at.Add(4*time.Hour))
	assert.Equal(t, "two@example.com", r.state().Customer.Email)
	r.receives(ofCustomer("customer/updated", jo(at.Add(time.Minute))), at.Add(5*time.Hour))
	r.receives(mention("three@example.com", at.Add(6*time.Hour)), at.Add(6*time.Hour))
	assert.Equal(t, "jo.bean@example.com", r.state().Customer.Email)
}

// No change is emitted for a shop that is not on Shopify.
func TestCustomerChangeNeedsShopify(t *testing.T) {
	r := newRun(t, byEmail())
	c := jo(start())
	c.PlatformID = ""
	assert.Equal(t, reason.NotConnectedToShopify, r.receives(ofCustomer("customer/updated", c), start()).Skip)
	c.Email, c.UpdatedAt = "jo@example.org", start().Add(time.Hour)
	assert.Equal(t, reason.NotConnectedToShopify, r.receives(ofCustomer("customer/updated", c), start().Add(time.Hour)).Skip)
}

// The object of another customer does not change this customer's state.
func TestAnotherCustomersObjectIsIgnored(t *testing.T) {
	r := newRun(t, byID())
	other := jo(start())
	other.ID, other.Email = "5", "other@example.com"
	r.settings.SMS = false
	r.receives(with(about("subscription/created", start()), other), start())
	assert.Empty(t, r.state().Customer.Email)
	assert.False(t, r.state().Customer.Seen)
}
