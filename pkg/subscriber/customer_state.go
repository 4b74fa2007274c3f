package subscriber

import (
	"maps"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// CustomerState is the customer according to their newest object. A part that this object lacks is taken from the newest object
// that has it. Of two objects with the same time the one that sorts last counts, so that the order of arrival makes no
// difference.
type CustomerState struct {
	// Seen means that a customer object was received, not only mentions of the customer.
	Seen bool `json:"seen,omitempty"`
	// FirstAt is the time of the first object, or of an older one that mentioned the e-mail. It is zero if the first came with
	// customer/created: nothing can have changed before it.
	FirstAt    time.Time `json:"first_at,omitzero"`
	Email      string    `json:"email,omitempty"` // trimmed, lower case
	FirstName  string    `json:"first_name,omitempty"`
	LastName   string    `json:"last_name,omitempty"`
	Phone      string    `json:"phone,omitempty"`
	PhoneKnown bool      `json:"phone_known,omitempty"` // with an empty Phone: the customer has none
	PlatformID string    `json:"platform_id,omitempty"`
	Hash       string    `json:"hash,omitempty"`
	// Country, Province and Zip are those of the customer's own newest address, which is of AddressAt. The address of somebody to
	// whom they give products is not stored.
	Country   string    `json:"country,omitempty"`
	Province  string    `json:"province,omitempty"`
	Zip       string    `json:"zip,omitempty"`
	AddressAt time.Time `json:"address_at,omitzero"`
	// AddressSeen means that the shipping address of a charge or an order named a country, which may be that of somebody else.
	AddressSeen bool      `json:"address_seen,omitempty"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	// Older has the times of the parts that the object of UpdatedAt lacks.
	Older map[part]time.Time `json:"older,omitempty"`
	// MentionedAt is set while the e-mail comes from another resource, such as a charge: any customer object overrides it.
	MentionedAt time.Time `json:"mentioned_at,omitzero"`
	Count       *Count    `json:"count,omitempty"`
	// CompleteAt is when all subscriptions were first known.
	CompleteAt     time.Time       `json:"complete_at,omitzero"`
	ActiveProperty *ActiveProperty `json:"active_property,omitempty"`
	// Profile is the last emitted profile.
	Profile *ProfileState `json:"profile,omitempty"`
	// Activated means that a customer/activated was received.
	Activated bool `json:"activated,omitempty"`
	// FailedCharges maps the unpaid charges that failed finally to the time of failure.
	FailedCharges map[string]time.Time `json:"failed_charges,omitempty"`
	// Failures maps unpaid charges to what is known of their failed attempts.
	Failures map[string]ChargeFailures `json:"failures,omitempty"`
	// Charges are the charges that are open or were lately closed.
	Charges map[string]ChargeState `json:"charges,omitempty"`
	// ChargesExpiredTo is the time of the newest snapshot of a charge that is not stored any more.
	ChargesExpiredTo time.Time `json:"charges_expired_to,omitzero"`
	// Orders is the number of charges that were paid.
	Orders int `json:"orders,omitempty"`
	// ErasedAt is the time of the object that shows that the personal data was erased. Until a newer object has some, none is
	// stored.
	ErasedAt time.Time `json:"erased_at,omitzero"`
	// DeletedAt is when the deletion was first received. From then on no personal data is stored.
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// Equal reports whether two states of a customer have the same row. A row is written only if it changed. Comparing by reflection
// takes more time than the decision, so each field is named here; a test changes each in turn. Times are in UTC, so those with the
// same JSON are equal.
func (k *CustomerState) Equal(other *CustomerState) bool {
	return k.texts() == other.texts() && k.times() == other.times() && k.marks() == other.marks() &&
		equalTo(k.Count, other.Count) && equalTo(k.ActiveProperty, other.ActiveProperty) && equalTo(k.Profile, other.Profile) &&
		maps.Equal(k.Older, other.Older) && k.equalCharges(other)
}

func (k *CustomerState) equalCharges(other *CustomerState) bool {
	return k.Orders == other.Orders && maps.Equal(k.FailedCharges, other.FailedCharges) && maps.Equal(k.Failures, other.Failures) &&
		maps.Equal(k.Charges, other.Charges)
}

// IsZero reports whether nothing is known of the customer.
func (k *CustomerState) IsZero() bool { return k.Equal(&CustomerState{}) }

func (k *CustomerState) texts() [9]string {
	return [...]string{k.Email, k.FirstName, k.LastName, k.Phone, k.PlatformID, k.Hash, k.Country, k.Province, k.Zip}
}

func (k *CustomerState) times() [9]time.Time {
	return [...]time.Time{k.ChargesExpiredTo, k.FirstAt, k.AddressAt, k.CreatedAt, k.UpdatedAt, k.MentionedAt, k.CompleteAt, k.ErasedAt, k.DeletedAt}
}

func (k *CustomerState) marks() [4]bool {
	return [...]bool{k.Seen, k.PhoneKnown, k.AddressSeen, k.Activated}
}

// Count is the number of subscriptions in a customer object, and the object's time.
type Count struct {
	Active int       `json:"active"`
	Total  int       `json:"total"`
	At     time.Time `json:"at"`
}

// ActiveProperty is the last emitted recharge_subscription_active: value, update_timestamp and profile.
type ActiveProperty struct {
	Value bool      `json:"value"`
	At    time.Time `json:"at"`
	To    string    `json:"to"`
}

// part is an optional part of a customer object.
type part string

const (
	partEmail    part = "email"
	partName     part = "name" // first and last
	partPhone    part = "phone"
	partPlatform part = "platform_id"
	partHash     part = "hash"
)

// absorb applies a customer object.
func (k *CustomerState) absorb(topic recharge.Topic, c *recharge.Customer, receivedAt time.Time) {
	at := firstTime(c.UpdatedAt, receivedAt)
	k.counted(topic, c, at)
	k.meet(topic, at)
	switch {
	case c.Erased:
		k.erase(at)
		return
	case !k.ErasedAt.IsZero() && !at.After(k.ErasedAt):
		return
	}
	k.ErasedAt = time.Time{}
	k.take(c, at)
	k.lives(recharge.Address{Country: c.Country, Province: c.Province, Zip: c.Zip}, at)
	if k.CreatedAt.IsZero() || !c.CreatedAt.IsZero() && c.CreatedAt.Before(k.CreatedAt) {
		k.CreatedAt = c.CreatedAt
	}
}

// meet stores FirstAt with the first object.
func (k *CustomerState) meet(topic recharge.Topic, at time.Time) {
	if !k.Seen && topic != "customer/created" {
		k.FirstAt = at
		if !k.MentionedAt.IsZero() && k.MentionedAt.Before(at) {
			k.FirstAt = k.MentionedAt
		}
	}
	k.Seen = true
}

// take applies each part for which no newer object was received.
func (k *CustomerState) take(c *recharge.Customer, at time.Time) {
	newest := k.UpdatedAt
	if at.After(newest) {
		newest = at
	}
	var older map[part]time.Time
	for _, p := range k.parts(c) {
		of := firstTime(k.Older[p.name], k.UpdatedAt)
		if p.has && p.newer(at, of) {
			p.take()
			p.known, of = true, at
		}
		if p.known && !of.Equal(newest) {
			if older == nil {
				older = make(map[part]time.Time)
			}
			older[p.name] = of
		}
	}
	k.UpdatedAt, k.Older = newest, older
}

// emailAt returns the time of the object that the e-mail is from.
func (k *CustomerState) emailAt() time.Time {
	return firstTime(k.MentionedAt, k.Older[partEmail], k.UpdatedAt)
}

// candidate is a part of a customer object, compared with the known one.
type candidate struct {
	name                part
	has, known, greater bool
	take                func()
}

func (c candidate) newer(at, known time.Time) bool {
	return !c.known || at.After(known) || at.Equal(known) && c.greater
}

func (k *CustomerState) parts(c *recharge.Customer) []candidate {
	email := normal(c.Email)
	return []candidate{
		{partEmail, email != "", k.Email != "" && k.MentionedAt.IsZero(), email > k.Email, func() {
			k.Email, k.MentionedAt = email, time.Time{}
		}},
		{partName, c.FirstName+c.LastName != "", k.FirstName+k.LastName != "", sorted(c.FirstName, c.LastName) > sorted(k.FirstName, k.LastName), func() {
			k.FirstName, k.LastName = c.FirstName, c.LastName
		}},
		{partPhone, c.PhoneKnown, k.PhoneKnown, c.Phone > k.Phone, func() { k.Phone, k.PhoneKnown = c.Phone, true }},
		{partPlatform, c.PlatformID != "", k.PlatformID != "", c.PlatformID > k.PlatformID, func() { k.PlatformID = c.PlatformID }},
		{partHash, c.Hash != "", k.Hash != "", c.Hash > k.Hash, func() { k.Hash = c.Hash }},
	}
}

// sorted joins texts for comparison.
func sorted(texts ...string) string { return strings.Join(texts, "\x00") }

// counted applies the count of an object, or the count implied by its topic: one or none. Of two counts with the same time the
// lower one wins, because canceled wins over activated.
func (k *CustomerState) counted(topic recharge.Topic, c *recharge.Customer, at time.Time) {
	count := Count{Active: c.ActiveSubscriptions, Total: c.TotalSubscriptions, At: at}
	switch {
	case c.Counted:
	case topic == "customer/activated":
		count.Active, count.Total = 1, 1
	case topic == "customer/deactivated":
	default:
		return
	}
	if k.Count == nil || at.After(k.Count.At) || at.Equal(k.Count.At) && count.below(*k.Count) {
		k.Count = &count
	}
}

func (c Count) below(other Count) bool {
	return c.Active < other.Active || c.Active == other.Active && c.Total < other.Total
}

// mention fills in data that no customer object has, from an object that only mentions the customer; the newest mention wins.
func (k *CustomerState) mention(p person, at time.Time) {
	if !k.ErasedAt.IsZero() {
		return
	}
	if p.email != "" && (k.Email == "" || !k.MentionedAt.IsZero() && newer(at, p.email, k.MentionedAt, k.Email)) {
		k.Email, k.MentionedAt = p.email, at
	}
	k.Hash = orElse(k.Hash, p.hash)
	k.AddressSeen = k.AddressSeen || p.contact.Shipping.Country != ""
	name := person{first: k.FirstName, last: k.LastName, contact: p.contact}
	k.lives(name.ownAddress(), at)
}

// lives applies an address of the customer, if it names a country and is newer.
func (k *CustomerState) lives(a recharge.Address, at time.Time) {
	address := sorted(a.Country, a.Province, a.Zip)
	if a.Country != "" && newer(at, address, k.AddressAt, sorted(k.Country, k.Province, k.Zip)) {
		k.Country, k.Province, k.Zip, k.AddressAt = a.Country, a.Province, a.Zip, at
	}
}

// newer orders two texts by time; with the same time, the one that sorts last is newer.
func newer(at time.Time, text string, otherAt time.Time, other string) bool {
	return at.After(otherAt) || at.Equal(otherAt) && text > other
}
