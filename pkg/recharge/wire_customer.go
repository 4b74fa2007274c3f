package recharge

import "time"

// Customer is a shop's customer as Recharge knows them.
type Customer struct {
	ID, Email, FirstName, LastName string
	// Phone is free text; PhoneKnown tells an absent field from an empty one.
	Phone      string
	PhoneKnown bool
	// PlatformID is the customer's id at Shopify, "" when the shop isn't connected.
	PlatformID string
	// Hash is the secret part of the customer's portal links.
	Hash string
	// ActiveSubscriptions is valid when Counted.
	ActiveSubscriptions, TotalSubscriptions int
	Counted                                 bool
	CreatedAt, UpdatedAt                    time.Time
}

type wireCustomer struct {
	ID              id         `json:"id"`
	Email           text       `json:"email"`
	FirstName       text       `json:"first_name"`
	LastName        text       `json:"last_name"`
	Phone           phone      `json:"phone"`
	BillingPhone    phone      `json:"billing_phone"`
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
}

// customer is nil for an object without an id: the customer inside a 2021-01
// order has none and says nothing that the order doesn't.
func (w *wireCustomer) customer(c *clock) *Customer {
	if w == nil || w.ID == "" {
		return nil
	}
	c.version = marks{status: w.Status, shopify: []platformID{w.ShopifyCustomer}, counted: w.Active202101.known}.version(c.version)
	return &Customer{
		ID: string(w.ID), Email: string(w.Email), FirstName: string(w.FirstName), LastName: string(w.LastName),
		Phone:      first(w.Phone.value, w.BillingPhone.value),
		PhoneKnown: w.Phone.known || w.BillingPhone.known,
		PlatformID: first(w.PlatformID, w.ShopifyCustomer),
		Hash:       string(w.Hash),

		ActiveSubscriptions: w.Active.n + w.Active202101.n,
		TotalSubscriptions:  w.Total.n + w.Total202101.n,
		Counted:             w.Active.known || w.Active202101.known,

		CreatedAt: c.at("customer.created_at", w.CreatedAt),
		UpdatedAt: c.at("customer.updated_at", w.UpdatedAt),
	}
}
