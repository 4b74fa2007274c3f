package recharge

import "time"

// The JSON of a Lookup. Customers and subscriptions have the field names of API version 2021-11, where it has them, and only the fields
// that wire_customer.go and wire_subscription.go read.

type lookupJSON struct {
	CustomerID    string             `json:"customer_id"`
	Kind          LookupKind         `json:"kind"`
	ChargeID      string             `json:"charge_id,omitempty"`
	Attempt       int                `json:"attempt,omitempty"`
	NotFound      bool               `json:"not_found,omitempty"`
	Unreadable    string             `json:"unreadable,omitempty"`
	Customer      *customerJSON      `json:"customer,omitempty"`
	Subscriptions []subscriptionJSON `json:"subscriptions,omitzero"`
	Complete      bool               `json:"complete,omitempty"`
	ListedAt      time.Time          `json:"listed_at,omitzero"`
}

type customerJSON struct {
	ID         string         `json:"id"`
	Email      string         `json:"email,omitempty"`
	FirstName  string         `json:"first_name,omitempty"`
	LastName   string         `json:"last_name,omitempty"`
	Phone      *string        `json:"phone,omitempty"` // "": the customer has none
	Country    string         `json:"billing_country,omitempty"`
	Province   string         `json:"billing_province,omitempty"`
	Zip        string         `json:"billing_zip,omitempty"`
	PlatformID platformIDJSON `json:"external_customer_id,omitzero"`
	Hash       string         `json:"hash,omitempty"`
	Active     *int           `json:"subscriptions_active_count,omitempty"`
	Total      int            `json:"subscriptions_total_count,omitempty"`
	CreatedAt  time.Time      `json:"created_at,omitzero"`
	UpdatedAt  time.Time      `json:"updated_at,omitzero"`
	Erased     bool           `json:"erased,omitempty"` // not in the API's answer, which is recognized by its placeholders
}

// platformIDJSON is an id of the shop platform.
type platformIDJSON struct {
	ID string `json:"ecommerce"`
}

func newCustomerJSON(c Customer) customerJSON {
	s := customerJSON{
		ID: c.ID, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName,
		Country: c.Country, Province: c.Province, Zip: c.Zip, PlatformID: platformIDJSON{c.PlatformID}, Hash: c.Hash,
		Total: c.TotalSubscriptions, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Erased: c.Erased,
	}
	if c.PhoneKnown {
		s.Phone = &c.Phone
	}
	if c.Counted {
		s.Active = &c.ActiveSubscriptions
	}
	return s
}

type subscriptionJSON struct {
	ID             string         `json:"id"`
	CustomerID     string         `json:"customer_id,omitempty"`
	AddressID      string         `json:"address_id,omitempty"`
	Email          string         `json:"email,omitempty"`
	Status         string         `json:"status,omitempty"`
	ProductID      platformIDJSON `json:"external_product_id,omitzero"`
	VariantID      platformIDJSON `json:"external_variant_id,omitzero"`
	SKU            string         `json:"sku,omitempty"`
	ProductTitle   string         `json:"product_title,omitempty"`
	VariantTitle   string         `json:"variant_title,omitempty"`
	Price          string         `json:"price,omitempty"`
	Currency       string         `json:"presentment_currency,omitempty"`
	Quantity       int            `json:"quantity,omitempty"`
	IntervalUnit   string         `json:"order_interval_unit,omitempty"`
	OrderInterval  int            `json:"order_interval_frequency,omitempty"`
	ChargeInterval int            `json:"charge_interval_frequency,omitempty"`
	NextChargeDate Date           `json:"next_charge_scheduled_at,omitempty"`
	IsPrepaid      bool           `json:"is_prepaid,omitempty"`
	CreatedAt      time.Time      `json:"created_at,omitzero"`
	UpdatedAt      time.Time      `json:"updated_at,omitzero"`
	CancelledAt    time.Time      `json:"cancelled_at,omitzero"`
	Reason         string         `json:"cancellation_reason,omitempty"`
	Comments       string         `json:"cancellation_reason_comments,omitempty"`
	MaxRetries     bool           `json:"max_retries_reached,omitempty"`
	Erased         bool           `json:"erased,omitempty"`
}

func newSubscriptionJSON(s Subscription) subscriptionJSON {
	return subscriptionJSON{
		ID: s.ID, CustomerID: s.CustomerID, AddressID: s.AddressID, Email: s.Email, Status: s.Status,
		ProductID: platformIDJSON{s.ProductID}, VariantID: platformIDJSON{s.VariantID}, SKU: s.SKU,
		ProductTitle: s.ProductTitle, VariantTitle: s.VariantTitle, Price: s.Price, Currency: s.Currency, Quantity: s.Quantity,
		IntervalUnit: s.IntervalUnit, OrderInterval: s.OrderInterval, ChargeInterval: s.ChargeInterval,
		NextChargeDate: s.NextChargeDate, IsPrepaid: s.IsPrepaid,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, CancelledAt: s.CancelledAt,
		Reason: s.CancellationReason, Comments: s.CancellationReasonComments, MaxRetries: s.MaxRetriesReached, Erased: s.Erased,
	}
}
