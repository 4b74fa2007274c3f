package recharge

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Topic is a webhook topic as Recharge spells it, for example "subscription/created".
type Topic string

// Resource is the part before the slash; a body carries its object under this name.
func (t Topic) Resource() string {
	resource, _, _ := strings.Cut(string(t), "/")
	return resource
}

// Version is a version of Recharge's API; it decides how a body is spelled.
type Version string

// The two versions that stores use.
const (
	Version202101 Version = "2021-01"
	Version202111 Version = "2021-11"
)

// ErrNoResource says that a body lacks the object its topic promises, or its id.
var ErrNoResource = errors.New("body lacks the object named by its topic, or that object lacks its id")

// Webhook is a decoded body. The object that the topic is about is set, others
// are nil. Customer is also set when the body includes it beside the resource
// (included_objects).
type Webhook struct {
	Topic        Topic
	Version      Version
	Hash         string // DeliveryHash of topic and body
	Subscription *Subscription
	Charge       *Charge
	Order        *Order
	Customer     *Customer
}

// CustomerID is the Recharge customer that the webhook is about, "" when it
// names none.
func (w Webhook) CustomerID() string {
	switch {
	case w.Subscription != nil && w.Subscription.CustomerID != "":
		return w.Subscription.CustomerID
	case w.Charge != nil && w.Charge.CustomerID != "":
		return w.Charge.CustomerID
	case w.Order != nil && w.Order.CustomerID != "":
		return w.Order.CustomerID
	case w.Customer != nil:
		return w.Customer.ID
	}
	return ""
}

// Decoder reads bodies of both API versions.
type Decoder struct {
	zones zones
}

// NewDecoder fails only where the machine's time zones are unreadable.
func NewDecoder() (*Decoder, error) {
	z, err := newZones()
	if err != nil {
		return nil, err
	}
	return &Decoder{zones: z}, nil
}

// body is a webhook's envelope; included objects may lie beside the resource.
type body struct {
	Subscription *wireSubscription `json:"subscription"`
	Charge       *wireCharge       `json:"charge"`
	Order        *wireOrder        `json:"order"`
	Customer     *wireCustomer     `json:"customer"`
}

// Decode reads a webhook body. Topics of other resources than subscription,
// charge, order and customer decode to a Webhook without an object. Errors name
// the field and never quote the body.
func (d *Decoder) Decode(topic Topic, raw []byte) (Webhook, error) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return Webhook{}, fmt.Errorf("decode %s: %w", topic, clean(err))
	}
	w := Webhook{Topic: topic, Hash: DeliveryHash(topic, raw)}
	c := &clock{zones: d.zones, version: Version202111} // which the product registers its webhooks with
	wanted, found := b.resource(&w, c)
	if !wanted {
		return w, nil
	}
	if !found {
		return Webhook{}, fmt.Errorf("decode %s: %w", topic, ErrNoResource)
	}
	if w.Customer == nil {
		w.Customer = b.included().customer(c)
	}
	if c.err != nil {
		return Webhook{}, fmt.Errorf("decode %s: %w", topic, c.err)
	}
	w.Version = c.version
	return w, nil
}

// resource sets the object that the topic is about and says whether it is of a
// kind that is read, and whether it was there.
func (b body) resource(w *Webhook, c *clock) (wanted, found bool) {
	switch w.Topic.Resource() {
	case "subscription":
		w.Subscription = b.Subscription.subscription(c)
		return true, w.Subscription != nil
	case "charge":
		w.Charge = b.Charge.charge(c)
		return true, w.Charge != nil
	case "order":
		w.Order = b.Order.order(c)
		return true, w.Order != nil
	case "customer":
		w.Customer = b.Customer.customer(c)
		return true, w.Customer != nil
	}
	return false, false
}

// included is the customer that came along with another resource: beside it, or
// under its "include" as the REST API nests them. Which one a webhook uses is
// not documented.
func (b body) included() *wireCustomer {
	switch {
	case b.Customer != nil:
		return b.Customer
	case b.Subscription != nil:
		return b.Subscription.Include.Customer
	case b.Charge != nil:
		return b.Charge.Include.Customer
	case b.Order != nil:
		return b.Order.Include.Customer
	}
	return nil
}

// include is where the REST API nests related objects.
type include struct {
	Customer *wireCustomer `json:"customer"`
}

// UnmarshalJSON takes an empty list for an empty object.
func (i *include) UnmarshalJSON(raw []byte) error {
	if raw[0] != '{' {
		return nil
	}
	var known struct {
		Customer *wireCustomer `json:"customer"`
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		return err
	}
	i.Customer = known.Customer
	return nil
}

// clean reduces an error of encoding/json to what may be shown: the field and
// the kinds, not the content.
func clean(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		if mismatch.Field == "" {
			return fmt.Errorf("body is a JSON %s, not an object", mismatch.Value)
		}
		return fmt.Errorf("field %s holds %s where %s belongs", mismatch.Field, mismatch.Value, mismatch.Type)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return errors.New("not valid JSON")
}

// marks are the fields by which the two versions can be told apart: no body
// says which one it is.
type marks struct {
	status  text
	shopify []platformID
	counted bool
}

// version is fallback where nothing marks the body.
func (m marks) version(fallback Version) Version {
	if m.counted || m.status != "" && string(m.status) == strings.ToUpper(string(m.status)) {
		return Version202101
	}
	for _, id := range m.shopify {
		if id != "" {
			return Version202101
		}
	}
	return fallback
}
