package recharge

import "time"

// Customer is a customer of a shop.
type Customer struct {
	ID, Email, FirstName, LastName string
	// Phone is free text. PhoneKnown is false if the body has no phone field.
	Phone      string
	PhoneKnown bool
	// Country, Province and Zip are those of the billing address, which only API version 2021-01 has here. Country is a name.
	Country, Province, Zip string
	// PlatformID is the customer's id at Shopify, "" if the shop is not connected.
	PlatformID string
	// Hash is the secret part of the customer's portal links.
	Hash string
	// ActiveSubscriptions is valid if Counted is true.
	ActiveSubscriptions, TotalSubscriptions int
	Counted                                 bool
	// Erased means that the personal data was erased at Recharge: the object has no e-mail, names and phone.
	Erased               bool
	CreatedAt, UpdatedAt time.Time
}

type wireCustomer struct {
	ID              id         `json:"id"`
	Email           optional   `json:"email"`
	FirstName       optional   `json:"first_name"`
	LastName        optional   `json:"last_name"`
	Phone           optional   `json:"phone"`
	BillingPhone    optional   `json:"billing_phone"`
	BillingCountry  text       `json:"billing_country"`
	BillingProvince text       `json:"billing_province"`
	BillingZip      text       `json:"billing_zip"`
	PlatformID      platformID `json:"external_customer_id"`
	ShopifyCustomer platformID `json:"shopify_customer_id"`
	Hash            text       `json:"hash"`
	Active          count      `json:"subscriptions_active_count"`
	Total           count      `json:"subscriptions_total_count"`
	Active202101    count      `json:"number_active_subscriptions"`
	Total202101     count      `json:"number_subscriptions"`
	Status          text       `json:"status"`
	CreatedAt       text       `json:"created_at"`
	UpdatedAt       text       `json:"updated_at"`
	Erased          boolean    `json:"erased"` // in a Lookup
}

// included returns a customer that is included with another resource; nil if a time that orders it can't be read.
func (w *wireCustomer) included(p *timeParser) *Customer {
	before := p.err
	p.err = nil
	c := w.customer(p)
	own := p.err
	p.err = before
	if own != nil {
		p.unreadable = append(p.unreadable, "customer.updated_at")
		return nil
	}
	return c
}

// customer returns nil for an object without an id: the customer inside a 2021-01 order has none, and its fields are also
// in the order.
func (w *wireCustomer) customer(p *timeParser) *Customer {
	if w == nil || w.ID == "" {
		return nil
	}
	p.version = versionMarks{status: w.Status, shopify: []platformID{w.ShopifyCustomer}, counted: w.Active202101.known}.version(p.version)
	c := &Customer{
		ID: string(w.ID), Email: string(w.Email.value), FirstName: string(w.FirstName.value), LastName: string(w.LastName.value),
		Phone:      first(w.Phone.value, w.BillingPhone.value),
		PhoneKnown: w.Phone.known || w.BillingPhone.known,
		Country:    string(w.BillingCountry), Province: string(w.BillingProvince), Zip: string(w.BillingZip),
		PlatformID: first(w.PlatformID, w.ShopifyCustomer),
		Hash:       string(w.Hash),

		ActiveSubscriptions: w.Active.n + w.Active202101.n,
		TotalSubscriptions:  w.Total.n + w.Total202101.n,
		Counted:             w.Active.known || w.Active202101.known,

		CreatedAt: p.timestamp("customer.created_at", w.CreatedAt),
		UpdatedAt: p.timestamp("customer.updated_at", w.UpdatedAt),
	}
	if w.erased() {
		c.Email, c.FirstName, c.LastName, c.Phone, c.PhoneKnown = "", "", "", "", true
		c.Country, c.Province, c.Zip, c.Hash, c.Erased = "", "", "", "", true
	}
	return c
}
