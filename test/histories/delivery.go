package histories

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// Delivery is one webhook: the resources in its body. Without a resource and a customer the body has only an ID.
type Delivery struct {
	Topic    recharge.Topic
	Offset   time.Duration // of its arrival, after the burst's begin
	Received time.Time     // when it arrives; of the histories of a Shop
	ID       string        // of the resource

	Subscription *Subscription
	Charge       *Charge
	Order        *Charge         // the one that the order came from
	Customer     *CustomerObject // the resource itself, or included beside it

	of      Customer
	version version
	noise   int // changes the bytes of the body, but no resource
}

// Person is a customer's contact data.
type Person struct{ Email, FirstName, LastName, Phone string }

// CustomerObject is a customer in a body.
type CustomerObject struct {
	Person

	Active, Total    int // counts of subscriptions
	Created, Updated time.Time
}

// Subscription is a subscription in a body.
type Subscription struct {
	Item                        int
	Email                       string // "" in bodies of API version 2021-11
	Status                      string // active, cancelled
	Product                     int
	Moved                       int // to which of the customer's addresses, 0 for the first
	Created, Updated, Cancelled time.Time
	Due                         recharge.Date
}

// Charge is a charge in a body. An order is represented by its charge.
type Charge struct {
	Person

	Number                      int
	Status                      string    // success, queued, error
	Kind                        string    // checkout, recurring
	Failure                     string    // type of the error
	Attempts                    int       // that failed; 0 is not shown
	Attempted                   time.Time // the last time
	Retry                       recharge.Date
	Refunds                     int // in cents
	Items                       []int
	Created, Updated, Processed time.Time // not processed while queued
	Due                         recharge.Date
}

// Bare reports whether the body is only an id.
func (d Delivery) Bare() bool {
	return d.Subscription == nil && d.Charge == nil && d.Order == nil && d.Customer == nil
}

// Key is the key of the webhook's record, without the store: the customer if the body names one.
func (d Delivery) Key() string {
	if d.Bare() && d.Topic.Resource() != "customer" {
		return d.Topic.Resource() + "/" + d.ID
	}
	return d.of.ID()
}

// Body returns the webhook's body in the customer's API version.
func (d Delivery) Body() []byte {
	body, v := fields{}, d.version
	switch {
	case d.Subscription != nil:
		body["subscription"] = v.subscription(d.of, *d.Subscription)
	case d.Charge != nil:
		body["charge"] = v.charge(d.of, *d.Charge)
	case d.Order != nil:
		body["order"] = v.order(d.of, *d.Order)
	}
	if d.Customer != nil {
		body["customer"] = v.customer(d.of, *d.Customer)
	}
	if d.Bare() {
		body[d.Topic.Resource()] = fields{"id": number(d.ID)}
	}
	raw := encode(body)
	if d.noise > 0 {
		raw = fmt.Appendf(bytes.TrimSuffix(raw, []byte("}")), `,"metafields":[{"key":"n","value":%d}]}`, d.noise)
	}
	return raw
}

// Encoded converts deliveries to those of rechargetest.
func Encoded(deliveries []Delivery) []rechargetest.Delivery {
	encoded := make([]rechargetest.Delivery, len(deliveries))
	for i, d := range deliveries {
		encoded[i] = rechargetest.Delivery{Topic: d.Topic, Body: d.Body(), Offset: d.Offset}
	}
	return encoded
}

func inOrder(deliveries []Delivery) []Delivery {
	slices.SortStableFunc(deliveries, func(x, y Delivery) int { return cmp.Compare(x.Offset, y.Offset) })
	return deliveries
}
