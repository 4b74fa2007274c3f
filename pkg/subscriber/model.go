package subscriber

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
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

// AppendJSON appends the event as JSON.
func (e *Event) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	w.String("id", e.ID)
	w.String("type", string(e.Type))
	w.OptString("status", e.Status)
	w.String("store", e.Store)
	w.Time("occurred_at", e.OccurredAt)
	w.String("recharge_customer_id", e.RechargeCustomerID)
	w.OptString("email", e.Email)
	e.Subscription.append(w)
	e.Charge.append(w)
	e.Customer.append(w)
	if p := e.Property; p != nil {
		w.BeginMember("property")
		w.String("name", p.Name)
		w.Bool("value", p.Value)
		w.End()
	}
	w.End()
	return w.Bytes()
}

// EventDecoder decodes events. It may be used by several goroutines at once.
type EventDecoder struct{ events *jsonread.Decoder[Event] }

// NewEventDecoder returns an EventDecoder.
func NewEventDecoder() EventDecoder { return EventDecoder{jsonread.NewDecoder[Event]()} }

// Decode decodes the value of a record in recharge.events. An event without the object of its type is an error.
func (d EventDecoder) Decode(value []byte) (Event, error) {
	var e Event
	if err := d.events.Decode(value, &e); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	return e, e.validate()
}

// validate checks that an event has the object of its type.
func (e *Event) validate() error {
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

func (s *Subscription) append(w *jsonappend.Writer) {
	if s != nil {
		w.BeginMember("subscription")
		s.appendMembers(w)
		w.End()
	}
}

func (s *Subscription) appendMembers(w *jsonappend.Writer) {
	w.String("id", s.ID)
	w.OptString("address_id", s.AddressID)
	w.OptString("source_status", s.SourceStatus)
	w.OptString("product_id", s.ProductID)
	w.OptString("variant_id", s.VariantID)
	w.OptString("sku", s.SKU)
	w.OptString("product_title", s.ProductTitle)
	w.OptString("variant_title", s.VariantTitle)
	w.OptString("price", s.Price)
	w.OptString("currency", s.Currency)
	w.OptInt("quantity", s.Quantity)
	w.OptString("interval_unit", s.IntervalUnit)
	w.OptInt("order_interval", s.OrderInterval)
	w.OptInt("charge_interval", s.ChargeInterval)
	w.OptString("next_charge_date", string(s.NextChargeDate))
	w.Bool("is_prepaid", s.IsPrepaid)
	w.OptTime("created_at", s.CreatedAt)
	w.OptTime("cancelled_at", s.CancelledAt)
	w.OptString("cancellation_reason", s.CancellationReason)
	w.OptString("cancellation_reason_comments", s.CancellationReasonComments)
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

func (c *Charge) append(w *jsonappend.Writer) {
	if c == nil {
		return
	}
	w.BeginMember("charge")
	w.String("id", c.ID)
	w.OptString("address_id", c.AddressID)
	w.OptString("source_status", c.SourceStatus)
	w.OptString("type", c.Type)
	w.OptString("order_id", c.OrderID)
	w.OptString("currency", c.Currency)
	w.OptString("total_price", c.TotalPrice)
	w.OptString("subtotal_price", c.SubtotalPrice)
	w.OptString("total_discounts", c.TotalDiscounts)
	w.OptString("total_tax", c.TotalTax)
	w.OptString("scheduled_date", string(c.ScheduledDate))
	w.OptTime("processed_at", c.ProcessedAt)
	w.OptTime("retry_at", c.RetryAt)
	w.OptInt("attempts", c.Attempts)
	w.OptString("error_type", c.ErrorType)
	w.OptTime("created_at", c.CreatedAt)
	appendItems(w, c.Items)
	w.End()
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

func appendItems(w *jsonappend.Writer, items []Item) {
	if items == nil {
		w.Null("items")
		return
	}
	w.BeginList("items")
	for _, i := range items {
		w.Begin()
		w.OptString("subscription_id", i.SubscriptionID)
		w.OptString("product_id", i.ProductID)
		w.OptString("variant_id", i.VariantID)
		w.OptString("sku", i.SKU)
		w.OptString("title", i.Title)
		w.OptString("variant_title", i.VariantTitle)
		w.OptString("price", i.Price)
		w.OptInt("quantity", i.Quantity)
		w.End()
	}
	w.EndList()
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

func (c *Customer) append(w *jsonappend.Writer) {
	if c == nil {
		return
	}
	w.BeginMember("customer")
	if len(c.Changed) > 0 {
		w.Strings("changed", c.Changed)
	}
	w.OptString("old_email", c.OldEmail)
	w.OptString("platform_id", c.PlatformID)
	w.OptString("email", c.Email)
	w.OptString("first_name", c.FirstName)
	w.OptString("last_name", c.LastName)
	w.OptString("phone", c.Phone)
	if c.ActiveSubscriptions != nil {
		w.Int("active_subscriptions", *c.ActiveSubscriptions)
	}
	if c.TotalSubscriptions != nil {
		w.Int("total_subscriptions", *c.TotalSubscriptions)
	}
	w.OptTime("created_at", c.CreatedAt)
	w.End()
}
