package subscriber

import (
	"errors"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// IDChoice is what identifies a customer at the destination.
type IDChoice string

// The two choices; e-mails are trimmed and lower-cased.
const (
	ByEmail      IDChoice = "email"
	ByRechargeID IDChoice = "recharge_id"
)

// ErrCustomerUnknown says that neither the webhook nor the API tells who the
// customer is, or that the customer lacks the id which the store uses.
var ErrCustomerUnknown = errors.New("customer unknown")

// LookupNeeded says that the API must be asked for a customer before the webhook can be decided on.
type LookupNeeded struct {
	CustomerID string
}

// Error says whose customer object is missing.
func (e *LookupNeeded) Error() string {
	return "customer " + e.CustomerID + " must be looked up"
}

// destination is a customer's id at the destination, "" when it isn't known.
func (s Settings) destination(customerID, email string) string {
	if s.CustomerID == ByEmail {
		return email
	}
	return customerID
}

// identity is a customer as the outputs need them.
type identity struct {
	customerID    string
	destinationID string
	recipient     Recipient
}

// person gathers what is known of a customer, the first source that tells wins.
type person struct {
	email      string
	phone      string
	phoneKnown bool
	first      string
	last       string
	hash       string
	contact    recharge.Contact
}

// needs are the parts of an identity that outputs can't do without: events need
// the id at the destination, triggers a phone, revocations neither.
type needs struct {
	destinationID, phone bool
}

// identify finds the customer in the webhook and in what is known.
func identify(s Settings, id string, w recharge.Webhook, m *Memory, n needs) (identity, error) {
	if id == "" {
		return identity{}, ErrCustomerUnknown
	}
	var p person
	p.fromResource(w)
	p.fromCustomer(w.Customer)
	p.fromMemory(&m.Customer)
	to := s.destination(id, p.email)
	nameless := n.destinationID && to == ""
	switch missing := nameless || n.phone && !p.phoneKnown; {
	case missing && s.API && m.askable():
		return identity{}, &LookupNeeded{CustomerID: id}
	case nameless:
		return identity{}, ErrCustomerUnknown
	}
	return identity{customerID: id, destinationID: to, recipient: p.recipient()}, nil
}

// fromMemory fills what is left; a newer e-mail than the webhook's goes first.
func (p *person) fromMemory(k *KnownCustomer) {
	p.email = orElse(k.Email, p.email)
	p.phoneKnown = p.phoneKnown || k.PhoneKnown
	if k.Phone != "" {
		p.phone = k.Phone
	}
	p.first, p.last, p.hash = orElse(p.first, k.FirstName), orElse(p.last, k.LastName), orElse(p.hash, k.Hash)
	if p.contact.Country == "" {
		p.contact.Country, p.contact.Province, p.contact.Zip = k.Country, k.Province, k.Zip
	}
}

// fromResource takes what the object that a webhook is about mentions of its customer.
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
	p.first, p.last, p.phone = p.contact.FirstName, p.contact.LastName, p.contact.Phone
	p.phoneKnown = p.phone != ""
	return *p
}

// fromCustomer fills gaps; the customer's own phone goes before an address's.
func (p *person) fromCustomer(c *recharge.Customer) {
	if c == nil {
		return
	}
	p.setEmail(c.Email)
	p.phoneKnown = p.phoneKnown || c.PhoneKnown
	if c.Phone != "" {
		p.phone = c.Phone
	}
	p.first = orElse(p.first, c.FirstName)
	p.last = orElse(p.last, c.LastName)
	p.hash = orElse(p.hash, c.Hash)
}

func (p *person) setEmail(email string) { p.email = orElse(p.email, normal(email)) }

// normal is how an e-mail identifies somebody.
func normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func (p *person) recipient() Recipient {
	return Recipient{
		FirstName: p.first, LastName: p.last, Phone: p.phone, PortalHash: p.hash,
		Country: p.contact.Country, Province: p.contact.Province, Zip: p.contact.Zip,
	}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
