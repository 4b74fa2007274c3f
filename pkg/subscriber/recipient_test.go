package subscriber_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// address is one with a name in one piece.
func address(name, phone, country string) recharge.Address {
	first, last, _ := strings.Cut(name, " ")
	return recharge.Address{FirstName: first, LastName: last, Phone: phone, Country: country}
}

// paid decides on a charge/paid with the given addresses, of a customer with the given phone. Without a phone they have none.
func paid(t require.TestingT, phone string, contact recharge.Contact) subscriber.Recipient {
	known := jo(start())
	known.Phone = phone
	c := plain("charge/paid", start())
	c.webhook.Charge.Contact, c.state = contact, loadedState(c.settings, known)
	decision, err := c.decide()
	require.NoError(t, err)
	require.Len(t, decision.Triggers, 1)
	return decision.Triggers[0].Recipient
}

func TestWhosePhone(t *testing.T) {
	jos, stone := address("Jo Bean", "503 555 0101", "US"), address("Max Stone", "415 555 0102", "MX")
	tests := []struct {
		name              string
		own               string
		billing, shipping recharge.Address
		phone, country    string
	}{
		{"own", "503 555 0100", jos, stone, "503 555 0100", "US"},
		{"own, of no known country", "503 555 0100", recharge.Address{}, recharge.Address{}, "503 555 0100", ""},
		{"own, of a parcel's country", "503 555 0100", recharge.Address{}, stone, "503 555 0100", "ZZ"},
		{"own, of a billing address without a country", "503 555 0100", address("Jo Bean", "", ""), stone, "503 555 0100", "ZZ"},
		{"own, of a shipping address under the customer's name", "503 555 0100", recharge.Address{}, address("Jo Bean", "", "CA"), "503 555 0100", "CA"},
		{"billing", "", jos, stone, "503 555 0101", "US"},
		{"billing, under another name", "", address("Max Stone", "503 555 0101", "US"), jos, "503 555 0101", "US"},
		{"billing, unknown country", "", address("Jo Bean", "503 555 0101", "Atlantis"), stone, "503 555 0101", "Atlantis"},
		{"billing, without a country", "", address("Jo Bean", "503 555 0101", ""), stone, "503 555 0101", "ZZ"},
		{"billing, without a country, shipping under the customer's name", "", address("Jo Bean", "503 555 0101", ""), address("Jo Bean", "", "CA"), "503 555 0101", "CA"},
		{"shipping of somebody else", "", address("Jo Bean", "", "US"), stone, "", ""},
		{"shipping of somebody else, nothing else known", "", recharge.Address{}, stone, "", ""},
		{"shipping under the customer's name", "", address("Jo Bean", "", "US"), address("Jo Bean", "503 555 0103", "CA"), "503 555 0103", "CA"},
		{"shipping without a name", "", recharge.Address{}, address("", "503 555 0103", "US"), "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := paid(t, test.own, recharge.Contact{Billing: test.billing, Shipping: test.shipping})
			assert.Equal(t, test.phone, got.Phone)
			assert.Equal(t, test.country, got.PhoneCountry)
		})
	}
}

// The phone in the customer object of a charge or an order is the customer's, unless a newer one is known.
func TestPhoneOfTheCustomerInACharge(t *testing.T) {
	contact := recharge.Contact{Phone: "503 555 0104", Billing: address("Jo Bean", "503 555 0101", "US")}
	assert.Equal(t, "503 555 0104", paid(t, "", contact).Phone)
	assert.Equal(t, "503 555 0100", paid(t, "503 555 0100", contact).Phone)
}

// A phone of the shipping address is used if the address has the customer's first and last name, however they are typed.
func TestShippingUnderTheCustomersName(t *testing.T) {
	for _, test := range []struct {
		first, last, shippedFirst, shippedLast string
		own                                    bool
	}{
		{"Jo", "Bean", "Jo", "Bean", true},
		{"Jo", "Bean", " jo ", "  BEAN", true},
		{"Jo", "Bean", "Jó", "Beán", true},
		{"Jo", "Bean", "Jo Bean", "", true},
		{"Jo Ann", "Bean", "Jo-Ann", "Bean", true},
		{"Jo", "O'Bean", "Jo", "O\u2019BEAN", true},
		{"Jo", "OBean", "Jo", "O'Bean", true},
		{"Søren", "Łęcki", "Soren", "Lecki", true},
		{"明", "李", "明", "李", true},
		{"Jo", "Bean", "Max", "Bean", false},
		{"Jo", "Bean", "Jo", "Beans", false},
		{"Jo", "Bean", "Joan", "Bean", false},
		{"Jo", "Bean", "J.", "Bean", false},
		{"Jo", "Bean", "Jo Max", "Bean", false},
		{"Jo", "Bean", "Jo", "", false},
		{"Jo", "", "Jo", "", false},
		{"", "Bean", "", "Bean", false},
		{"-", ".", "-", ".", false},
		{"", "", "", "", false},
		{"明", "李", "亮", "李", false},
	} {
		known := jo(start())
		known.FirstName, known.LastName, known.Phone = test.first, test.last, ""
		c := plain("charge/paid", start())
		c.state = loadedState(c.settings, known)
		c.webhook.Charge.Contact.Shipping = recharge.Address{FirstName: test.shippedFirst, LastName: test.shippedLast, Phone: "503 555 0103"}
		decision, err := c.decide()
		require.NoError(t, err)
		assert.Equal(t, test.own, decision.Triggers[0].Recipient.Phone != "", "%s %s, %s %s", test.first, test.last, test.shippedFirst, test.shippedLast)
	}
}

// No text ever goes to the phone of a shipping address under another name, and no phone is read in its country.
func TestNoTextToTheRecipientOfAParcel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase("charge/paid", "charge/upcoming", "charge/failed", "order/processed", "order/upcoming").Draw(t, "case")
		c.settings.SMS = true
		contact := contacts().Draw(t, "contact")
		contact.FirstName, contact.LastName = "Jo", "Bean"
		contact.Shipping = address("Max Stone", "415 555 0102", "MX")
		if c.webhook.Charge != nil {
			c.webhook.Charge.Contact = contact
		} else {
			c.webhook.Order.Contact = contact
		}
		if c.webhook.Customer != nil {
			c.webhook.Customer.FirstName, c.webhook.Customer.LastName = "Jo", "Bean"
		}
		decision, err := c.decide()
		if err != nil {
			return
		}
		for _, trigger := range decision.Triggers {
			require.NotEqual(t, "415 555 0102", trigger.Recipient.Phone)
			require.NotEqual(t, "MX", trigger.Recipient.PhoneCountry)
			require.NotEqual(t, "MX", trigger.Recipient.Country)
			require.NotEqual(t, "Stone", trigger.Recipient.LastName)
		}
	})
}

// The greeting is the customer's: their own name, else the one beside their id, else the billing address's; never the parcel's.
func TestWhoseName(t *testing.T) {
	billing, shipping := address("Billa Payer", "", "US"), address("Max Stone", "", "US")
	tests := []struct {
		name        string
		customer    bool
		contact     recharge.Contact
		first, last string
	}{
		{"the customer's", true, recharge.Contact{FirstName: "Joanna", LastName: "Beans", Billing: billing, Shipping: shipping}, "Jo", "Bean"},
		{"beside the id", false, recharge.Contact{FirstName: "Joanna", LastName: "Beans", Billing: billing, Shipping: shipping}, "Joanna", "Beans"},
		{"billing", false, recharge.Contact{Billing: billing, Shipping: shipping}, "Billa", "Payer"},
		{"never shipping", false, recharge.Contact{Shipping: shipping}, "", ""},
		{"first and last of one source", false, recharge.Contact{FirstName: "Joanna", Billing: billing}, "Joanna", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := plain("charge/paid", start())
			c.settings.API, c.webhook.Charge.Contact, c.state = false, test.contact, &subscriber.State{}
			c.webhook.Charge.Email = "jo@example.com"
			if test.customer {
				c.state = loadedState(c.settings, jo(start()))
			}
			decision, err := c.decide()
			require.NoError(t, err)
			got := decision.Triggers[0].Recipient
			assert.Equal(t, test.first+" "+test.last, got.FirstName+" "+got.LastName)
		})
	}
}

// The phone of an address does not replace the lookup of the customer's own.
func TestPhoneOfAnAddressIsNotTheCustomers(t *testing.T) {
	contact := recharge.Contact{Billing: address("Jo Bean", "503 555 0101", "US"), Shipping: address("Jo Bean", "503 555 0102", "US")}
	for _, topic := range []recharge.Topic{"charge/paid", "order/processed"} {
		c := plain(topic, start())
		c.settings, c.state = byID(), &subscriber.State{}
		if c.webhook.Charge != nil {
			c.webhook.Charge.Contact = contact
		} else {
			c.webhook.Order.Contact = contact
		}
		_, err := c.decide()
		require.Equal(t, &subscriber.LookupNeeded{CustomerID: c.webhook.CustomerID()}, err, topic)
		c.settings.API = false
		decision, err := c.decide()
		require.NoError(t, err)
		assert.Equal(t, "503 555 0101", decision.Triggers[0].Recipient.Phone)
	}
}

// The state has the customer's newest own address: of a billing address, of a shipping address under their name, or of the customer
// object of API version 2021-01.
func TestOwnAddressIsRemembered(t *testing.T) {
	minute := func(n int) time.Time { return start().Add(time.Duration(n) * time.Minute) }
	charge := func(n int, billing, shipping recharge.Address) recharge.Webhook {
		return ofCharge("charge/created", minute(n), func(c *recharge.Charge) { c.Contact = recharge.Contact{Billing: billing, Shipping: shipping} })
	}
	in := func(country string) recharge.Address {
		return recharge.Address{Country: country, Zip: "zip of " + country}
	}
	own, others := address("jo BEAN", "", "CA"), address("Max Stone", "", "MX")
	lives := jo(minute(1))
	lives.Country, lives.Province, lives.Zip = "Chile", "RM", "zip of Chile"
	tests := []struct {
		name string
		sent []recharge.Webhook
		want string
	}{
		{"billing", []recharge.Webhook{charge(1, in("GB"), others)}, "GB"},
		{"billing before shipping", []recharge.Webhook{charge(1, in("GB"), own)}, "GB"},
		{"shipping under the customer's name", []recharge.Webhook{charge(1, recharge.Address{}, own)}, "CA"},
		{"shipping of somebody else", []recharge.Webhook{charge(1, recharge.Address{}, others)}, ""},
		{"somebody else's does not replace it", []recharge.Webhook{charge(1, in("GB"), others), charge(2, recharge.Address{}, others)}, "GB"},
		{"the newest", []recharge.Webhook{charge(2, in("GB"), others), charge(1, in("FR"), others)}, "GB"},
		{"customer object", []recharge.Webhook{ofCustomer("customer/updated", lives)}, "Chile"},
		{"a newer charge", []recharge.Webhook{ofCustomer("customer/updated", lives), charge(2, in("GB"), others)}, "GB"},
		{"an older charge", []recharge.Webhook{ofCustomer("customer/updated", lives), charge(0, in("GB"), others)}, "Chile"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byID())
			r.receives(ofCustomer("customer/created", jo(start())), start())
			for _, w := range test.sent {
				r.receives(w, minute(9))
			}
			assert.Equal(t, test.want, r.state().Customer.Country)
			assert.Equal(t, test.want != "" && test.want != "CA", r.state().Customer.Zip == "zip of "+test.want)
			assert.Equal(t, test.want == "Chile", r.state().Customer.Province == "RM")
			d := r.receives(about("subscription/created", minute(10)), minute(10))
			require.Len(t, d.Triggers, 1)
			assert.Equal(t, test.want, d.Triggers[0].Recipient.Country)
			if test.want == "" {
				assert.Equal(t, "ZZ", d.Triggers[0].Recipient.PhoneCountry, "not the store's default region")
				return
			}
			assert.Equal(t, test.want, d.Triggers[0].Recipient.PhoneCountry)
		})
	}
}
