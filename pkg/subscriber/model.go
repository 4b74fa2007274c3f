package subscriber

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// EventType is the kind of a tracking event.
type EventType string

// The kinds of tracking events. EventProperty sets a customer property, the others are events of a customer.
const (
	EventSubscription   EventType = "subscription"
	EventCharge         EventType = "subscription_charge"
	EventCustomerChange EventType = "customer_change"
	EventProperty       EventType = "customer_property"
)

// The statuses that are tracked, as Bloomreach spells them.
const (
	StatusCreated   = "created"
	StatusActivated = "activated"
	StatusCanceled  = "canceled"
	StatusDeleted   = "deleted"
	StatusPaid      = "paid"
)

// PropertyActive is the customer property that is TRUE while any subscription is active.
const PropertyActive = "recharge_subscription_active"

// Event is a fact for tracking: the value of a record in recharge.events.
type Event struct {
	ID     string    `json:"id"`
	Type   EventType `json:"type"`
	Status string    `json:"status,omitempty"`
	Store  string    `json:"store"`
	// OccurredAt is when it happened at Recharge, in UTC, with fractions of a second.
	OccurredAt         time.Time `json:"occurred_at"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	// Email is the normalized e-mail of the profile that the event is for, which may be the one before a change. It is always
	// set if the store identifies customers by e-mail, otherwise if it is known.
	Email        string        `json:"email,omitempty"`
	Subscription *Subscription `json:"subscription,omitempty"`
	Charge       *Charge       `json:"charge,omitempty"`
	Customer     *Customer     `json:"customer,omitempty"`
	Property     *Property     `json:"property,omitempty"`
}

// Validate checks that an event has the object required by its type.
func (e Event) Validate() error {
	missing := false
	switch e.Type {
	case EventSubscription:
		missing = e.Subscription == nil
	case EventCharge:
		missing = e.Charge == nil
	case EventCustomerChange:
		missing = e.Customer == nil
	case EventProperty:
		missing = e.Property == nil
	}
	if missing {
		return fmt.Errorf("%s event lacks its object", e.Type)
	}
	return nil
}

// Property is a customer property to set.
type Property struct {
	Name  string `json:"name"`
	Value bool   `json:"value"`
}

// Subscription holds the fields of a subscription in events and triggers.
type Subscription struct {
	ID                         string        `json:"id"`
	AddressID                  string        `json:"address_id,omitempty"`
	SourceStatus               string        `json:"source_status,omitempty"`
	ProductID                  string        `json:"product_id,omitempty"`
	VariantID                  string        `json:"variant_id,omitempty"`
	SKU                        string        `json:"sku,omitempty"`
	ProductTitle               string        `json:"product_title,omitempty"`
	VariantTitle               string        `json:"variant_title,omitempty"`
	Price                      string        `json:"price,omitempty"`
	Currency                   string        `json:"currency,omitempty"`
	Quantity                   int           `json:"quantity,omitempty"`
	IntervalUnit               string        `json:"interval_unit,omitempty"`
	OrderInterval              int           `json:"order_interval,omitempty"`
	ChargeInterval             int           `json:"charge_interval,omitempty"`
	NextChargeDate             recharge.Date `json:"next_charge_date,omitempty"`
	IsPrepaid                  bool          `json:"is_prepaid"`
	CreatedAt                  time.Time     `json:"created_at,omitzero"`
	CancelledAt                time.Time     `json:"cancelled_at,omitzero"`
	CancellationReason         string        `json:"cancellation_reason,omitempty"`
	CancellationReasonComments string        `json:"cancellation_reason_comments,omitempty"`
}

// Charge holds the fields of a charge in events and triggers.
type Charge struct {
	ID             string        `json:"id"`
	AddressID      string        `json:"address_id,omitempty"`
	SourceStatus   string        `json:"source_status,omitempty"`
	Type           string        `json:"type,omitempty"`
	OrderID        string        `json:"order_id,omitempty"`
	Currency       string        `json:"currency,omitempty"`
	TotalPrice     string        `json:"total_price,omitempty"`
	SubtotalPrice  string        `json:"subtotal_price,omitempty"`
	TotalDiscounts string        `json:"total_discounts,omitempty"`
	TotalTax       string        `json:"total_tax,omitempty"`
	ScheduledDate  recharge.Date `json:"scheduled_date,omitempty"`
	ProcessedAt    time.Time     `json:"processed_at,omitzero"`
	RetryAt        time.Time     `json:"retry_at,omitzero"`
	Attempts       int           `json:"attempts,omitempty"`
	ErrorType      string        `json:"error_type,omitempty"`
	CreatedAt      time.Time     `json:"created_at,omitzero"`
	Items          []Item        `json:"items"`
}

// Item is one product of a charge or an order.
type Item struct {
	SubscriptionID string `json:"subscription_id,omitempty"`
	ProductID      string `json:"product_id,omitempty"`
	VariantID      string `json:"variant_id,omitempty"`
	SKU            string `json:"sku,omitempty"`
	Title          string `json:"title,omitempty"`
	VariantTitle   string `json:"variant_title,omitempty"`
	Price          string `json:"price,omitempty"`
	Quantity       int    `json:"quantity,omitempty"`
}

// Order holds the fields of an order that a text can use.
type Order struct {
	ID            string        `json:"id"`
	ChargeID      string        `json:"charge_id,omitempty"`
	AddressID     string        `json:"address_id,omitempty"`
	Number        string        `json:"number,omitempty"`
	IsPrepaid     bool          `json:"is_prepaid"`
	Currency      string        `json:"currency,omitempty"`
	TotalPrice    string        `json:"total_price,omitempty"`
	ScheduledDate recharge.Date `json:"scheduled_date,omitempty"`
	Items         []Item        `json:"items"`
}

// Customer is the customer of a customer_change.
type Customer struct {
	// Changed are the names of the changed fields; empty if the previous values are unknown.
	Changed []string `json:"changed,omitempty"`
	// OldEmail is the previous e-mail if it has changed.
	OldEmail            string    `json:"old_email,omitempty"`
	PlatformID          string    `json:"platform_id,omitempty"`
	Email               string    `json:"email,omitempty"`
	FirstName           string    `json:"first_name,omitempty"`
	LastName            string    `json:"last_name,omitempty"`
	Phone               string    `json:"phone,omitempty"`
	ActiveSubscriptions *int      `json:"active_subscriptions,omitempty"`
	TotalSubscriptions  *int      `json:"total_subscriptions,omitempty"`
	CreatedAt           time.Time `json:"created_at,omitzero"`
}

// Trigger starts a flow for a customer, with all values that its text can use. It is the value of a record in
// recharge.sms-triggers.
type Trigger struct {
	ID    string   `json:"id"`
	Store string   `json:"store"`
	Flow  flow.Key `json:"flow"`
	// Cause identifies the customer's action. Triggers of the same action have the same cause.
	Cause              string    `json:"cause"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	OccurredAt         time.Time `json:"occurred_at"`
	// StaleAt is the time from which the text is not sent.
	StaleAt time.Time `json:"stale_at"`
	// Items are the resources that the text is about, "{resource}/{id}". A revocation names them.
	Items        []string      `json:"items"`
	Recipient    Recipient     `json:"recipient"`
	Subscription *Subscription `json:"subscription,omitempty"`
	Charge       *Charge       `json:"charge,omitempty"`
	Order        *Order        `json:"order,omitempty"`
}

// Recipient receives a text: the customer, never the person to whom their parcel goes.
type Recipient struct {
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	// Phone is as typed, "" for none that is known to be the customer's.
	Phone string `json:"phone,omitempty"`
	// PhoneCountry is the country of a phone without a country code, as typed: an ISO 3166 code or a name. "" is the store's default
	// region. ZZ is an unknown country: then only a phone with a country code can be used.
	PhoneCountry string `json:"phone_country,omitempty"`
	// Country, Province and Zip are those of the customer's own address. Country is an ISO 3166 code or a name.
	Country  string `json:"country,omitempty"`
	Province string `json:"province,omitempty"`
	Zip      string `json:"zip,omitempty"`
	// PortalHash is the secret part of the customer's portal links.
	PortalHash string `json:"portal_hash,omitempty"`
}

// Revocation revokes the triggers of Flows about Items: something happened that makes their texts untrue. It is the value of a
// record in recharge.sms-triggers.
//
// It revokes a trigger that names its charge, and a trigger whose subscriptions are all revoked. For a subscription, OccurredAt
// must be after the trigger's; for a charge, not before it; a payment revokes triggers of any time.
type Revocation struct {
	ID                 string         `json:"id"`
	Store              string         `json:"store"`
	Cause              recharge.Topic `json:"cause"`
	RechargeCustomerID string         `json:"recharge_customer_id"`
	Flows              []flow.Key     `json:"flows"`
	Items              []string       `json:"items"`
	OccurredAt         time.Time      `json:"occurred_at"`
}
