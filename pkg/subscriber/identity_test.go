package subscriber_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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
	known := jo(start())
	known.Email = "\t Jo.BEAN@Example.com \n"
	c.memory = remembers(c.settings, known)
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
		_, err := c.decide()
		var needed *subscriber.LookupNeeded
		if !errors.As(err, &needed) {
			return
		}
		require.NotEmpty(t, needed.CustomerID)
		require.Equal(t, c.webhook.CustomerID(), needed.CustomerID)
		require.Contains(t, err.Error(), needed.CustomerID)
		answer := subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}}
		if rapid.Bool().Draw(t, "known") {
			answer.Customer = customers(maybe(instants())).Draw(t, "answer")
			answer.Customer.ID = needed.CustomerID
		}
		_, after, err := subscriber.Learn(c.settings, c.memory, needed.CustomerID, answer, c.at)
		require.NoError(t, err)
		_, _, err = subscriber.Decide(c.settings, after, c.webhook, c.at)
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
		c.settings.SMS, c.settings.ActiveProperty, c.settings.CustomerID = false, false, subscriber.ByRechargeID
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
		{"e-mail known, no texts", func(c *aCase) {
			known := jo(at)
			known.PhoneKnown = false
			c.memory, c.settings.SMS = remembers(c.settings, known), false
		}, false},
		{"all known", func(c *aCase) { c.memory = remembers(c.settings, jo(at)) }, false},
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
			c.settings.API, c.memory = true, &subscriber.Memory{}
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

// A customer whom the API does not know is nobody's reason to lose what is known:
// only the text, which has no phone, comes to nothing.
func TestUnknownAtTheAPI(t *testing.T) {
	c := plain("subscription/created", start())
	_, nobody, err := subscriber.Learn(c.settings, &subscriber.Memory{}, joID, subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}}, c.at)
	require.NoError(t, err)
	c.webhook.Subscription.Email, c.memory, c.settings.API = "jo@example.com", nobody, true
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Len(t, decision.Events, 2)
	require.Len(t, decision.Triggers, 1)
	assert.Empty(t, decision.Triggers[0].Recipient.Phone)
}

// A revocation is about resources: it needs neither e-mail nor phone.
func TestRevocationAlone(t *testing.T) {
	c := plain("subscription/unskipped", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
	c.memory, c.settings.ActiveProperty = &subscriber.Memory{}, false
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
		c.memory = remembers(c.settings, known)
		_, err := c.decide()
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
	})
	t.Run("but known by id", func(t *testing.T) {
		c := plain("subscription/created", at)
		known := jo(start())
		known.Email = ""
		c.settings.CustomerID = subscriber.ByRechargeID
		c.memory = remembers(c.settings, known)
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
	known := jo(start())
	known.Hash = "other"
	c.memory = remembers(c.settings, known)
	decision, err := c.decide()
	require.NoError(t, err)
	assert.Equal(t, subscriber.Recipient{
		FirstName: "Joanna", LastName: "Bean", Phone: "+15035550100", Country: "US", PortalHash: "f99bd4a6",
	}, decision.Triggers[0].Recipient)
}
