package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// EventType is the kind of a tracking event.
type EventType string

// The four kinds. EventProperty sets a customer property, the others are events
// of a customer.
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

// PropertyActive is the customer property that says whether any subscription is active.
const PropertyActive = "recharge_subscription_active"

// Event is a fact for tracking: the value of a record in recharge.events.
type Event struct {
	ID     string    `json:"id"`
	Type   EventType `json:"type"`
	Status string    `json:"status,omitempty"`
	Store  string    `json:"store"`
	// OccurredAt is when it happened at Recharge, UTC, fraction kept.
	OccurredAt         time.Time `json:"occurred_at"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	// CustomerIDs is how the destination knows the customer: id name to value.
	CustomerIDs  map[string]string `json:"customer_ids"`
	Subscription *Subscription     `json:"subscription,omitempty"`
	Charge       *Charge           `json:"charge,omitempty"`
	Customer     *Customer         `json:"customer,omitempty"`
	Property     *Property         `json:"property,omitempty"`
}

// Property is a customer property that is to be set.
type Property struct {
	Name  string `json:"name"`
	Value bool   `json:"value"`
}

// Subscription is the part of a subscription that others may need.
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

// Charge is the part of a charge that others may need.
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

// Order is the part of an order that a text may mention.
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

// Customer is what a customer_change tells about a customer.
type Customer struct {
	// Changed names the fields that are another than before; none where nothing was known before.
	Changed []string `json:"changed,omitempty"`
	// OldEmail is the e-mail before, where it changed.
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

// Trigger says that a flow should start for a customer, with all that its text
// may mention: the value of a record in recharge.sms-triggers.
type Trigger struct {
	ID    string   `json:"id"`
	Store string   `json:"store"`
	Flow  flow.Key `json:"flow"`
	// Cause names the customer's action: triggers of one action share it.
	Cause              string    `json:"cause"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	OccurredAt         time.Time `json:"occurred_at"`
	// StaleAt is when the text is no longer worth sending.
	StaleAt time.Time `json:"stale_at"`
	// Items are the resources it is about, "{resource}/{id}", which a revocation names.
	Items        []string      `json:"items"`
	Recipient    Recipient     `json:"recipient"`
	Subscription *Subscription `json:"subscription,omitempty"`
	Charge       *Charge       `json:"charge,omitempty"`
	Order        *Order        `json:"order,omitempty"`
}

// Recipient is whom a text would go to.
type Recipient struct {
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	// Phone is as typed by the customer, "" when they gave none.
	Phone string `json:"phone,omitempty"`
	// Country is an ISO 3166 code or an English name.
	Country  string `json:"country,omitempty"`
	Province string `json:"province,omitempty"`
	Zip      string `json:"zip,omitempty"`
	// PortalHash is the secret part of the customer's portal links.
	PortalHash string `json:"portal_hash,omitempty"`
}

// Revocation says that triggers of Flows about Items that happened before
// OccurredAt have been contradicted. It lies in recharge.sms-triggers too.
type Revocation struct {
	ID                 string         `json:"id"`
	Store              string         `json:"store"`
	Cause              recharge.Topic `json:"cause"`
	RechargeCustomerID string         `json:"recharge_customer_id"`
	Flows              []flow.Key     `json:"flows"`
	Items              []string       `json:"items"`
	OccurredAt         time.Time      `json:"occurred_at"`
}
