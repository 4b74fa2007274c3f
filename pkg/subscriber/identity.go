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

// LookupNeeded says that the API must be asked for a customer. Fresh says that
// what is remembered of an earlier call won't do.
type LookupNeeded struct {
	CustomerID string
	Fresh      bool
}

// Error says whose customer object is missing.
func (e *LookupNeeded) Error() string {
	return "customer " + e.CustomerID + " must be looked up"
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

// identify finds the customer in the webhook and in the API's answer.
func identify(s Settings, w recharge.Webhook, looked *Lookup, n needs) (identity, error) {
	id := w.CustomerID()
	if id == "" {
		return identity{}, ErrCustomerUnknown
	}
	var p person
	p.fromResource(w)
	p.fromCustomer(w.Customer)
	p.fromCustomer(looked.customer())
	emailMissing := n.destinationID && s.CustomerID == ByEmail && p.email == ""
	if looked == nil && (emailMissing || n.phone && !p.phoneKnown) {
		return identity{}, &LookupNeeded{CustomerID: id}
	}
	if emailMissing {
		return identity{}, ErrCustomerUnknown
	}
	who := identity{customerID: id, destinationID: id, recipient: p.recipient()}
	if s.CustomerID == ByEmail {
		who.destinationID = p.email
	}
	return who, nil
}

// customer is what was looked up, nil when nothing was.
func (l *Lookup) customer() *recharge.Customer {
	if l == nil {
		return nil
	}
	return &l.Customer
}

func (p *person) fromResource(w recharge.Webhook) {
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

func (p *person) setEmail(email string) {
	p.email = orElse(p.email, strings.ToLower(strings.TrimSpace(email)))
}

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
