package subscriber_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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
			require.Len(t, e.CustomerIDs, 1)
			id := e.CustomerIDs["registered"]
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
	c.looked.Customer.Email = "\t Jo.BEAN@Example.com \n"
	decision, err := c.decide()
	require.NoError(t, err)
	for _, e := range decision.Events {
		assert.Equal(t, map[string]string{"registered": "jo.bean@example.com"}, e.CustomerIDs)
	}
}

// The API is asked at most once: its answer settles the matter, whatever it says.
func TestLookedUpOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		c.looked = nil
		_, err := c.decide()
		var needed *subscriber.LookupNeeded
		if !errors.As(err, &needed) {
			return
		}
		require.NotEmpty(t, needed.CustomerID)
		require.Equal(t, c.webhook.CustomerID(), needed.CustomerID)
		require.Contains(t, err.Error(), needed.CustomerID)
		c.looked = &subscriber.Lookup{} // the API knows nobody of that number
		if rapid.Bool().Draw(t, "known") {
			c.looked = lookups(maybe(instants())).Draw(t, "answer")
		}
		c.looked.Fresh = needed.Fresh
		_, err = c.decide()
		require.NotErrorAs(t, err, &needed)
		if err != nil {
			require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
		}
	})
}

// A webhook that is worth nothing asks nobody, and neither does a store that
// sends no texts, wants no property and knows its customers by Recharge's id.
func TestNotLookedUpInVain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(append(usedTopics(), unusedTopics()...)...).Draw(t, "case")
		c.settings.SMS, c.settings.ActiveProperty, c.settings.CustomerID, c.looked = false, false, subscriber.ByRechargeID, nil
		_, err := c.decide()
		var needed *subscriber.LookupNeeded
		require.NotErrorAs(t, err, &needed)
	})
}

func TestWhoIsAsked(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		change func(*aCase)
		asks   bool
	}{
		{"no e-mail in the body", func(c *aCase) {}, true},
		{"e-mail in the body, no texts", func(c *aCase) { c.webhook.Subscription.Email = "jo@example.com"; c.settings.SMS = false }, false},
		{"e-mail in the body, phone unknown", func(c *aCase) { c.webhook.Subscription.Email = "jo@example.com" }, true},
		{"customer included", func(c *aCase) { c.webhook.Customer = &plain("customer/created", at).looked.Customer }, false},
		{"customer included, phone known to be empty", func(c *aCase) {
			c.webhook.Customer = &plain("customer/created", at).looked.Customer
			c.webhook.Customer.Phone = ""
		}, false},
		{"customer included, phone missing", func(c *aCase) {
			c.webhook.Customer = &plain("customer/created", at).looked.Customer
			c.webhook.Customer.Phone, c.webhook.Customer.PhoneKnown = "", false
		}, true},
		{"by id, no texts", func(c *aCase) { c.settings.CustomerID = subscriber.ByRechargeID; c.settings.SMS = false }, false},
		{"by id, with texts", func(c *aCase) { c.settings.CustomerID = subscriber.ByRechargeID }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := plain("subscription/created", at)
			c.looked = nil
			test.change(&c)
			_, err := c.decide()
			if test.asks {
				require.Equal(t, &subscriber.LookupNeeded{CustomerID: "246936001"}, err)
				return
			}
			require.NoError(t, err)
		})
	}
}

// The end of a subscription asks for the customer's count, where that can be had:
// what is remembered is of no use for it.
func TestCountIsAskedFor(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		change func(*aCase)
		asks   bool
	}{
		{"nothing known", func(c *aCase) { c.looked = nil }, true},
		{"customer remembered", func(c *aCase) {}, true},
		{"customer asked for", func(c *aCase) { c.looked.Fresh = true }, false},
		{"asked for, and unknown", func(c *aCase) {
			c.looked = &subscriber.Lookup{Fresh: true}
			c.webhook.Subscription.Email = "jo@example.com"
		}, false},
		{"customer included", func(c *aCase) { c.webhook.Customer = &c.looked.Customer }, false},
		{"no access to the API", func(c *aCase) { c.settings.API = false }, false},
		{"property not wanted", func(c *aCase) { c.settings.ActiveProperty = false }, false},
	}
	for _, topic := range []recharge.Topic{"subscription/cancelled", "subscription/deleted"} {
		for _, test := range tests {
			t.Run(string(topic)+" "+test.name, func(t *testing.T) {
				c := plain(topic, at)
				c.settings.API = true
				test.change(&c)
				_, err := c.decide()
				if test.asks {
					require.Equal(t, &subscriber.LookupNeeded{CustomerID: "246936001", Fresh: true}, err)
					return
				}
				require.NoError(t, err)
			})
		}
	}
}

// A customer whom the API does not know is nobody's reason to lose what is known:
// only the text, which has no phone, comes to nothing.
func TestUnknownAtTheAPI(t *testing.T) {
	c := plain("subscription/created", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	c.webhook.Subscription.Email, c.looked = "jo@example.com", &subscriber.Lookup{}
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Len(t, decision.Events, 2)
	require.Len(t, decision.Triggers, 1)
	assert.Empty(t, decision.Triggers[0].Recipient.Phone)
}

// A revocation is about resources: it needs neither e-mail nor phone.
func TestRevocationAlone(t *testing.T) {
	c := plain("subscription/unskipped", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	c.looked = nil
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Len(t, decision.Revocations, 1)
	assert.Empty(t, decision.Events)
}

func TestCustomerUnknown(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	t.Run("the body names none", func(t *testing.T) {
		c := plain("subscription/deleted", at)
		c.webhook.Subscription.CustomerID, c.looked = "", nil
		_, err := c.decide()
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
	})
	t.Run("without an e-mail at Recharge either", func(t *testing.T) {
		c := plain("subscription/created", at)
		c.looked.Customer.Email = " "
		_, err := c.decide()
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
	})
	t.Run("but known by id", func(t *testing.T) {
		c := plain("subscription/created", at)
		c.settings.CustomerID, c.looked.Customer.Email = subscriber.ByRechargeID, ""
		_, err := c.decide()
		require.NoError(t, err)
	})
}

// The customer's own phone goes before an address's, and a name of the address
// before the account's: the parcel is addressed to it.
func TestRecipient(t *testing.T) {
	c := plain("charge/paid", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	c.webhook.Charge.Contact.FirstName, c.webhook.Charge.Contact.Phone = "Joanna", "503 555 0199"
	c.webhook.Charge.Contact.Country, c.webhook.Charge.CustomerHash = "US", "f99bd4a6"
	c.looked.Customer.FirstName, c.looked.Customer.LastName, c.looked.Customer.Hash = "Jo", "Bean", "other"
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Equal(t, subscriber.Recipient{
		FirstName: "Joanna", LastName: "Bean", Phone: "+15035550100", Country: "US", PortalHash: "f99bd4a6",
	}, decision.Triggers[0].Recipient)
}
