package subscriber

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/rechargeflow/rechargeflow/pkg/fold"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// IDChoice is the kind of id that identifies a customer at the destination.
type IDChoice string

// The two choices. E-mails are trimmed and converted to lower case.
const (
	ByEmail      IDChoice = "email"
	ByRechargeID IDChoice = "recharge_id"
)

// ErrCustomerUnknown means that neither the webhook nor the API identifies the customer, or that the customer lacks the kind of
// id that the store uses.
var ErrCustomerUnknown = errors.New("customer unknown")

// LookupNeeded means that a customer must be looked up before their webhook can be processed.
type LookupNeeded struct {
	CustomerID string
}

// Error names the customer.
func (e *LookupNeeded) Error() string {
	return "customer " + e.CustomerID + " must be looked up"
}

// DestinationID returns a customer's id at the destination, "" if unknown.
func (s Settings) DestinationID(customerID, email string) string {
	if s.CustomerID == ByEmail {
		return email
	}
	return customerID
}

// SecondID returns the id that DestinationID does not, "" if unknown.
func (s Settings) SecondID(customerID, email string) string {
	if s.CustomerID == ByEmail {
		return customerID
	}
	return email
}

// identity is the customer data for the outputs.
type identity struct {
	customerID string
	email      string
	recipient  Recipient
}

// person collects the data of a customer; the first source that has a field is used.
type person struct {
	email string
	// phone is the customer's own number. phoneKnown with an empty phone: they have none.
	phone      string
	phoneKnown bool
	first      string
	last       string
	hash       string
	// home is the customer's own address. addressSeen with no country in it: only that of somebody else is known.
	home        recharge.Address
	addressSeen bool
	// contact is what the webhook's charge or order says.
	contact recharge.Contact
}

// needs lists the customer data that outputs require: events need the id at the destination, triggers need a phone, revocations
// need neither.
type needs struct {
	destinationID, phone bool
}

// identify finds the customer in the webhook and the state.
func identify(s Settings, id string, w recharge.Webhook, st *State, n needs) (identity, error) {
	if id == "" {
		return identity{}, ErrCustomerUnknown
	}
	p := personOf(w, st)
	to := s.DestinationID(id, p.email)
	nameless := n.destinationID && to == ""
	switch missing := nameless || n.phone && !p.phoneKnown; {
	case missing && s.API && st.canLookUp():
		return identity{}, &LookupNeeded{CustomerID: id}
	case nameless:
		return identity{}, ErrCustomerUnknown
	}
	return identity{customerID: id, email: p.email, recipient: p.recipient()}, nil
}

// personOf collects the data of a webhook's customer, none of one whose personal data was erased.
func personOf(w recharge.Webhook, st *State) (p person) {
	if st.erased() || w.Erased() {
		return person{}
	}
	p.fromResource(w)
	p.fromCustomer(w.Customer)
	p.fromState(&st.Customer)
	return p
}

// fromState fills in missing fields from the state. Its e-mail, phone and name are newer than the webhook's.
func (p *person) fromState(k *CustomerState) {
	p.email = orElse(k.Email, p.email)
	p.phoneKnown = p.phoneKnown || k.PhoneKnown
	if k.PhoneKnown {
		p.phone = orElse(k.Phone, p.contact.Phone)
	}
	if k.FirstName+k.LastName != "" {
		p.first, p.last = k.FirstName, k.LastName
	}
	p.hash = orElse(p.hash, k.Hash)
	p.addressSeen, p.home = k.AddressSeen, recharge.Address{Country: k.Country, Province: k.Province, Zip: k.Zip}
}

// fromResource returns the customer data of the webhook's resource.
func (p *person) fromResource(w recharge.Webhook) person {
	switch {
	case w.Subscription != nil:
		p.setEmail(w.Subscription.Email)
	case w.Charge != nil:
		p.setEmail(w.Charge.Email)
		p.hash, p.contact = w.Charge.CustomerHash, w.Charge.Contact
	case w.Order != nil:
		p.setEmail(w.Order.Email)
		p.hash, p.contact = w.Order.CustomerHash, w.Order.Contact
	}
	p.phone = p.contact.Phone
	return *p
}

// fromCustomer fills in missing fields from the customer object.
func (p *person) fromCustomer(c *recharge.Customer) {
	if c == nil {
		return
	}
	p.setEmail(c.Email)
	p.phoneKnown = p.phoneKnown || c.PhoneKnown
	if c.Phone != "" {
		p.phone = c.Phone
	}
	p.first, p.last = c.FirstName, c.LastName
	p.hash = orElse(p.hash, c.Hash)
}

func (p *person) setEmail(email string) { p.email = orElse(p.email, normal(email)) }

// normal normalizes an e-mail for use as a customer id: trimmed, in lower case and NFC, without characters that nobody sees. An
// address that was pasted with one of them looks the same and would be another profile. A text without @ is no e-mail.
func normal(email string) string {
	for i := range len(email) {
		if email[i] < ' ' || email[i] > '~' {
			email = norm.NFC.String(strings.ToLower(strings.Map(visible, email)))
			break
		}
	}
	if !strings.Contains(email, "@") {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(email))
}

// visible returns -1 for a character without a shape: controls, formats such as a zero width space, odd spaces, fillers.
func visible(r rune) rune {
	if r != ' ' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
		return -1
	}
	return r
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// unknownCountry is Unicode's code for a country that is not known
// (https://www.unicode.org/reports/tr35/#unknown-or-invalid-identifiers).
const unknownCountry = "ZZ"

// recipient returns who the text goes to.
func (p *person) recipient() Recipient {
	first, last := p.name()
	phone, country := p.number()
	return Recipient{
		FirstName: first, LastName: last, Phone: phone, PhoneCountry: country, PortalHash: p.hash,
		Email: p.email, Country: p.home.Country, Province: p.home.Province, Zip: p.home.Zip,
	}
}

// name returns the customer's name: their own, else the one beside their id, else that of the billing address. The shipping
// address may name somebody else.
func (p *person) name() (first, last string) {
	c := p.contact
	for _, name := range [][2]string{{p.first, p.last}, {c.FirstName, c.LastName}, {c.Billing.FirstName, c.Billing.LastName}} {
		if name[0]+name[1] != "" {
			return name[0], name[1]
		}
	}
	return "", ""
}

// number returns the phone to send to, and the country of a phone without a country code. It is the customer's own, else that of
// the billing address, else that of a shipping address under the customer's name. In doubt there is none.
func (p *person) number() (phone, country string) {
	billing, shipping := p.contact.Billing, p.contact.Shipping
	switch {
	case p.phone != "":
		return p.phone, p.countryOf(p.home)
	case billing.Phone != "":
		return billing.Phone, p.countryOf(billing)
	case shipping.Phone != "" && p.isOwn(shipping):
		return shipping.Phone, p.countryOf(shipping)
	}
	return "", ""
}

// countryOf returns the country in which the phone of an address is read. If the address names none, it is that of the customer's
// own address, never that of somebody else's.
func (p *person) countryOf(a recharge.Address) string {
	country := orElse(a.Country, p.home.Country)
	if country == "" && p.addressSeen {
		return unknownCountry
	}
	return country
}

// ownAddress returns the customer's own address in a charge or an order, the zero value for none: the billing address, or a
// shipping address under the customer's name.
func (p *person) ownAddress() recharge.Address {
	switch {
	case p.contact.Billing.Country != "":
		return p.contact.Billing
	case p.isOwn(p.contact.Shipping):
		return p.contact.Shipping
	}
	return recharge.Address{}
}

// isOwn reports whether an address has the customer's first and last name, typed in any way.
func (p *person) isOwn(a recharge.Address) bool {
	first, last := p.name()
	own, other := fold.Words(first+" "+last), fold.Words(a.FirstName+" "+a.LastName)
	return len(own) > 1 && slices.Equal(own, other)
}
