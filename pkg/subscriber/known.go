package subscriber

import (
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// KnownCustomer is the customer as their newest object shows them. What that one lacks is as the newest which tells it: it
// comes out the same in whatever order they came in. Of two of the same instant each part is the one that sorts last.
type KnownCustomer struct {
	// Seen says that a customer object came in, and not only mentions of the customer.
	Seen bool `json:"seen,omitempty"`
	// FirstAt is the time of the first one, where it may have been changed before: not for customer/created.
	FirstAt    time.Time `json:"first_at,omitzero"`
	Email      string    `json:"email,omitempty"` // trimmed, lower case
	FirstName  string    `json:"first_name,omitempty"`
	LastName   string    `json:"last_name,omitempty"`
	Phone      string    `json:"phone,omitempty"`
	PhoneKnown bool      `json:"phone_known,omitempty"` // an empty phone is known to be none
	PlatformID string    `json:"platform_id,omitempty"`
	Hash       string    `json:"hash,omitempty"`
	// Country, Province and Zip are those of the newest address met, of AddressAt.
	Country   string    `json:"country,omitempty"`
	Province  string    `json:"province,omitempty"`
	Zip       string    `json:"zip,omitempty"`
	AddressAt time.Time `json:"address_at,omitzero"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// Older are the times of those parts that the object of UpdatedAt lacks.
	Older map[part]time.Time `json:"older,omitempty"`
	// MentionedAt is set where the e-mail is only a mention, by a charge say: any customer object knows better.
	MentionedAt time.Time `json:"mentioned_at,omitzero"`
	Count       *Count    `json:"count,omitempty"`
	// CompleteAt is when all their subscriptions were known first.
	CompleteAt time.Time `json:"complete_at,omitzero"`
	Flag       *Flag     `json:"flag,omitempty"`
	// Activated says that a customer/activated came in.
	Activated bool `json:"activated,omitempty"`
	// DeletedAt is when it was first received that the customer was deleted. Nothing personal is kept then.
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// Count is how many subscriptions a customer object says there are, and its own time.
type Count struct {
	Active int       `json:"active"`
	Total  int       `json:"total"`
	At     time.Time `json:"at"`
}

// Flag is what was last said of recharge_subscription_active: the value, its update_timestamp and to which profile.
type Flag struct {
	Value bool      `json:"value"`
	At    time.Time `json:"at"`
	To    string    `json:"to"`
}

// part is what a customer object may tell or lack.
type part string

const (
	partEmail    part = "email"
	partName     part = "name" // first and last
	partPhone    part = "phone"
	partPlatform part = "platform_id"
	partHash     part = "hash"
)

// absorb takes over what a customer object tells and no newer one told.
func (k *KnownCustomer) absorb(topic recharge.Topic, c *recharge.Customer, receivedAt time.Time) {
	at := firstTime(c.UpdatedAt, receivedAt)
	k.counted(topic, c, at)
	if !k.Seen && topic != "customer/created" {
		k.FirstAt = at
	}
	k.Seen = true
	k.take(c, at)
	if k.CreatedAt.IsZero() || !c.CreatedAt.IsZero() && c.CreatedAt.Before(k.CreatedAt) {
		k.CreatedAt = c.CreatedAt
	}
}

// take takes over each part that no newer object told.
func (k *KnownCustomer) take(c *recharge.Customer, at time.Time) {
	newest := k.UpdatedAt
	if at.After(newest) {
		newest = at
	}
	var older map[part]time.Time
	for _, p := range k.parts(c) {
		told := firstTime(k.Older[p.name], k.UpdatedAt)
		if p.told && p.newer(at, told) {
			p.take()
			p.known, told = true, at
		}
		if p.known && !told.Equal(newest) {
			if older == nil {
				older = make(map[part]time.Time)
			}
			older[p.name] = told
		}
	}
	k.UpdatedAt, k.Older = newest, older
}

// telling is a part of a customer object beside what is known of it.
type telling struct {
	name                 part
	told, known, greater bool
	take                 func()
}

func (t telling) newer(at, told time.Time) bool {
	return !t.known || at.After(told) || at.Equal(told) && t.greater
}

func (k *KnownCustomer) parts(c *recharge.Customer) []telling {
	email := normal(c.Email)
	return []telling{
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

// sorted makes one text of several, to compare.
func sorted(texts ...string) string { return strings.Join(texts, "\x00") }

// counted takes over how many subscriptions there are, or what the topic alone says: that there is one, or none. Of two
// counts of one instant the lower one is taken, as canceled goes before activated.
func (k *KnownCustomer) counted(topic recharge.Topic, c *recharge.Customer, at time.Time) {
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

// mention takes from an object that only mentions the customer what no customer object tells: the newest mention counts.
func (k *KnownCustomer) mention(p person, at time.Time) {
	if p.email != "" && (k.Email == "" || !k.MentionedAt.IsZero() && newer(at, p.email, k.MentionedAt, k.Email)) {
		k.Email, k.MentionedAt = p.email, at
	}
	k.Hash = orElse(k.Hash, p.hash)
	address := sorted(p.contact.Country, p.contact.Province, p.contact.Zip)
	if p.contact.Country != "" && newer(at, address, k.AddressAt, sorted(k.Country, k.Province, k.Zip)) {
		k.Country, k.Province, k.Zip, k.AddressAt = p.contact.Country, p.contact.Province, p.contact.Zip, at
	}
}

// newer orders what was told at two times; of the same instant, by what sorts last.
func newer(at time.Time, what string, otherAt time.Time, other string) bool {
	return at.After(otherAt) || at.Equal(otherAt) && what > other
}
