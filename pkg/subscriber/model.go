package subscriber

import (
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// EventType is the kind of a tracking event.
type EventType string

// The kinds of tracking events. EventProperty and EventProfile set customer properties, the others are events of a customer.
const (
	EventSubscription   EventType = "subscription"
	EventCharge         EventType = "subscription_charge"
	EventCustomerChange EventType = "customer_change"
	EventProperty       EventType = "customer_property"
	EventProfile        EventType = "customer_profile"
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

// Event is a fact for tracking, the value of a record in recharge.events; or one that is tracked if a store asks for it, the value of a
// record in recharge.facts.
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
	Email string `json:"email,omitempty"`
	// PortalLink is the customer's link to the portal: sealed in topics, see [Portal].
	PortalLink string `json:"portal_link,omitempty"`
	// Former means that the profile is the one before the customer's e-mail changed.
	Former       bool          `json:"former,omitempty"`
	Subscription *Subscription `json:"subscription,omitempty"`
	Charge       *Charge       `json:"charge,omitempty"`
	// Order is set instead of Charge if the fact is of an order.
	Order *Order `json:"order,omitempty"`
	// Previous has what a fact changed.
	Previous *Previous `json:"previous,omitempty"`
	Customer *Customer `json:"customer,omitempty"`
	Property *Property `json:"property,omitempty"`
	Profile  *Profile  `json:"profile,omitempty"`
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
	w.OptString("portal_link", e.PortalLink)
	w.OptBool("former", e.Former)
	e.Subscription.append(w)
	e.Charge.append(w)
	e.Order.append(w)
	e.Previous.append(w)
	e.Customer.append(w)
	if p := e.Property; p != nil {
		w.BeginMember("property")
		w.String("name", p.Name)
		w.Bool("value", p.Value)
		w.End()
	}
	e.Profile.append(w)
	w.End()
	return w.Bytes()
}

// EventDecoder decodes events. It may be used by several goroutines at once.
type EventDecoder struct {
	events *jsonread.Decoder[Event]
	portal Portal
}

// NewEventDecoder returns an EventDecoder, which opens links to the portal.
func NewEventDecoder(portal Portal) EventDecoder {
	return EventDecoder{jsonread.NewDecoder[Event](), portal}
}

// Decode decodes the value of a record in recharge.events. An event without the object of its type is an error.
func (d EventDecoder) Decode(value []byte) (Event, error) {
	var e Event
	if err := d.events.Decode(value, &e); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	d.portal.Open(&e)
	return e, e.validate()
}

// validate checks that an event has the object of its type.
func (e *Event) validate() error {
	missing := false
	switch e.Type {
	case EventSubscription:
		missing = e.Subscription == nil
	case EventCharge:
		missing = e.Charge == nil && e.Order == nil
	case EventCustomerChange:
		missing = e.Customer == nil
	case EventProperty:
		missing = e.Property == nil
	case EventProfile:
		missing = e.Profile == nil
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

func (e *Event) addressTo(store, customerID, email string) {
	e.Store, e.RechargeCustomerID, e.Email = store, customerID, email
}

// Cancellation tells why a subscription was canceled.
type Cancellation string

// The two kinds of cancellation.
const (
	// Voluntary means that the customer or the shop canceled it.
	Voluntary Cancellation = "voluntary"
	// Involuntary means that Recharge canceled it because its charge could not be paid.
	Involuntary Cancellation = "involuntary"
)

// cancellationOf tells the two kinds apart by Recharge's flag and by the reasons that it writes itself.
func cancellationOf(s *recharge.Subscription) Cancellation {
	switch {
	case s.CancelledAt.IsZero() && s.Status != statusCancelled:
		return ""
	case s.MaxRetriesReached, slices.Contains(dunningReasons(), s.CancellationReason):
		return Involuntary
	}
	return Voluntary
}

// dunningReasons are the cancellation reasons that Recharge's failed payment recovery writes, as real stores have met them. They
// are not documented.
func dunningReasons() []string {
	return []string{"Max Number of Charge attempts reached", "Failed Payment Flow max retries", "Failed Payments"}
}
