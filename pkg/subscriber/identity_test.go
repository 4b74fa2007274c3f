package subscriber_test

import (
	"errors"
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

// Each event goes to exactly one customer, by the id that the store chose.
func TestDestinationID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		decision, err := c.decide()
		if err != nil {
			return
		}
		for _, e := range decision.Events {
			id := c.settings.DestinationID(e.RechargeCustomerID, e.Email)
			if c.settings.CustomerID == subscriber.ByRechargeID {
				require.Equal(t, c.webhook.CustomerID(), id)
				continue
			}
			require.NotEmpty(t, id)
			require.Equal(t, strings.ToLower(strings.TrimSpace(id)), id)
		}
	})
}

func TestEMailIsTrimmedAndLowered(t *testing.T) {
	c := plain("subscription/created", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	known := jo(start())
	known.Email = "\t Jo.BEAN@Example.com \n"
	c.state = loadedState(c.settings, known)
	decision, err := c.decide()
	require.NoError(t, err)
	for _, e := range decision.Events {
		assert.Equal(t, "jo.bean@example.com", e.Email)
	}
}

// A customer is looked up at most once, whatever the answer is.
func TestLookedUpOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		_, err := c.decide()
		var needed *subscriber.LookupNeeded
		if !errors.As(err, &needed) {
			return
		}
		require.NotEmpty(t, needed.CustomerID)
		require.Equal(t, c.webhook.CustomerID(), needed.CustomerID)
		require.Contains(t, err.Error(), needed.CustomerID)
		lookup := recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}}
		if rapid.Bool().Draw(t, "known") {
			lookup.Customer = customers(maybe(instants())).Draw(t, "answer")
			lookup.Customer.ID = needed.CustomerID
		}
		_, after, err := apply(c.settings, c.state, needed.CustomerID, answer{Lookup: lookup}, c.at)
		require.NoError(t, err)
		_, _, err = subscriber.Decide(c.settings, after, c.webhook, c.at)
		require.NotErrorAs(t, err, &needed)
		if err != nil {
			require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
		}
	})
}

// No customer is looked up for a webhook without output, nor at a store without texts and without the active property that
// identifies its customers by Recharge's ID.
func TestNoNeedlessLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(append(usedTopics(), unusedTopics()...)...).Draw(t, "case")
		c.settings.SMS, c.settings.ActiveProperty, c.settings.CustomerID = false, false, subscriber.ByRechargeID
		_, err := c.decide()
		var needed *subscriber.LookupNeeded
		require.NotErrorAs(t, err, &needed)
	})
}

func TestWhichCustomersAreLookedUp(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		change  func(*aCase)
		looksUp bool
	}{
		{"no e-mail in the body", func(c *aCase) {}, true},
		{"e-mail in the body, no texts", func(c *aCase) { c.webhook.Subscription.Email = "jo@example.com"; c.settings.SMS = false }, false},
		{"e-mail known, no texts", func(c *aCase) {
			known := jo(at)
			known.PhoneKnown = false
			c.state, c.settings.SMS = loadedState(c.settings, known), false
		}, false},
		{"all known", func(c *aCase) { c.state = loadedState(c.settings, jo(at)) }, false},
		{"no access to the API", func(c *aCase) { c.settings.API = false; c.webhook.Subscription.Email = "jo@example.com" }, false},
		{"e-mail in the body, phone unknown", func(c *aCase) { c.webhook.Subscription.Email = "jo@example.com" }, true},
		{"customer included", func(c *aCase) { c.webhook.Customer = plain("customer/created", at).webhook.Customer }, false},
		{"customer included, phone known to be empty", func(c *aCase) {
			c.webhook.Customer = plain("customer/created", at).webhook.Customer
			c.webhook.Customer.Phone = ""
		}, false},
		{"customer included, phone missing", func(c *aCase) {
			c.webhook.Customer = plain("customer/created", at).webhook.Customer
			c.webhook.Customer.Phone, c.webhook.Customer.PhoneKnown = "", false
		}, true},
		{"by id, no texts", func(c *aCase) { c.settings.CustomerID = subscriber.ByRechargeID; c.settings.SMS = false }, false},
		{"by id, with texts", func(c *aCase) { c.settings.CustomerID = subscriber.ByRechargeID }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := plain("subscription/created", at)
			c.settings.API, c.state = true, &subscriber.State{}
			test.change(&c)
			_, err := c.decide()
			if test.looksUp {
				require.Equal(t, &subscriber.LookupNeeded{CustomerID: "246936001"}, err)
				return
			}
			require.NoError(t, err)
		})
	}
}

// A customer whom the API does not know still has the events of the webhook. Only the text lacks a phone.
func TestCustomerUnknownToTheAPI(t *testing.T) {
	c := plain("subscription/created", start())
	_, notFound, err := apply(c.settings, &subscriber.State{}, joID, answer{Lookup: recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}}}, c.at)
	require.NoError(t, err)
	c.webhook.Subscription.Email, c.state, c.settings.API = "jo@example.com", notFound, true
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Len(t, decision.Events, 2)
	require.Len(t, decision.Triggers, 1)
	assert.Empty(t, decision.Triggers[0].Recipient.Phone)
}

// A revocation refers to resources: it needs neither e-mail nor phone.
func TestRevocationNeedsNoLookup(t *testing.T) {
	c := plain("subscription/unskipped", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	c.state, c.settings.ActiveProperty = &subscriber.State{}, false
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Len(t, decision.Revocations, 1)
	assert.Empty(t, decision.Events)
}

func TestCustomerUnknown(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	t.Run("the body names none", func(t *testing.T) {
		c := plain("subscription/deleted", at)
		c.webhook.Subscription.CustomerID = ""
		_, err := c.decide()
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
	})
	t.Run("without an e-mail at Recharge either", func(t *testing.T) {
		c := plain("subscription/created", at)
		known := jo(start())
		known.Email = " "
		c.state = loadedState(c.settings, known)
		_, err := c.decide()
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
	})
	t.Run("identified by id", func(t *testing.T) {
		c := plain("subscription/created", at)
		known := jo(start())
		known.Email = ""
		c.settings.CustomerID = subscriber.ByRechargeID
		c.state = loadedState(c.settings, known)
		_, err := c.decide()
		require.NoError(t, err)
	})
}

// Two spellings of an address that look the same are one customer, and no change.
func TestEmailsThatLookTheSame(t *testing.T) {
	const plain = "jo.bean@example.com"
	for name, email := range map[string]string{
		"right-to-left mark":      "\u200f" + plain,
		"zero width space":        "jo\u200b.bean@example.com",
		"joiner, at the end":      plain + "\u200d",
		"byte order mark":         "\ufeff" + plain,
		"soft hyphen":             "jo.be\u00adan@example.com",
		"isolates":                "\u2066" + plain + "\u2069",
		"no-break space":          "\u00a0" + plain + "\u00a0",
		"narrow, figure, ideogr.": "\u202f\u2007\u3000" + plain,
		"line separator":          plain + "\u2028",
		"odd space inside":        "jo.bean\u00a0@example\u2009.com",
		"word joiner":             "jo.bean\u2060@example.com",
		"variation selector":      plain + "\ufe0f",
		"filler":                  plain + "\u3164",
		"control":                 plain + "\u0000\u0085\t",
		"control inside":          "jo\u0007.bean@example.com",
		"delete":                  "jo.bean\u007f@example.com",
		"upper case and spaces":   "  Jo.BEAN@Example.com\r\n",
		"upper case, a mark":      "\u200fJo.BEAN@Example.com\u200b",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byEmail())
			r.receives(ofCustomer("customer/created", counted(jo(start()), 1)), start())
			c := jo(start().Add(time.Hour))
			c.Email = email
			d := r.receives(ofCustomer("customer/updated", c), start().Add(time.Hour))
			assert.Equal(t, reason.Unchanged, d.Skip)
			assert.Equal(t, plain, r.state().Customer.Email)
			r = newRun(t, byEmail())
			r.receives(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.Email = email }), start())
			assert.Equal(t, plain, r.all.Events[0].Email)
		})
	}
	composed := newRun(t, byEmail())
	composed.receives(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.Email = "zoe\u0308@example.com" }), start())
	assert.Equal(t, "zo\u00eb@example.com", composed.all.Events[0].Email, "NFC")
	for email, want := range map[string]string{
		"J\u030co@example.com": "\u01f0o@example.com", "Jo Bean@example.com": "jo bean@example.com", "Jo\u00eb Bean@example.com": "jo\u00eb bean@example.com",
	} {
		r := newRun(t, byEmail())
		r.receives(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.Email = email }), start())
		assert.Equal(t, want, r.all.Events[0].Email)
	}
}

// A normalized e-mail stays the same.
func TestEmailIsNormalizedOnce(t *testing.T) {
	once := func(t require.TestingT, email string) string {
		r := newRun(t, byID())
		c := jo(start())
		c.Email = email
		r.receives(ofCustomer("customer/created", c), start())
		return r.state().Customer.Email
	}
	rapid.Check(t, func(t *rapid.T) {
		email := once(t, rapid.String().Draw(t, "email"))
		require.Equal(t, email, once(t, email))
	})
}
