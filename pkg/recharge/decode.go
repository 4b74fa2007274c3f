package recharge

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// Topic is a webhook topic, for example "subscription/created".
type Topic string

// Resource returns the part before the slash. The body has its object under this name.
func (t Topic) Resource() string {
	resource, _, _ := strings.Cut(string(t), "/")
	return resource
}

// Version is a version of Recharge's API. Field names and formats of a body depend on it.
type Version string

// The two versions that stores use.
const (
	Version202101 Version = "2021-01"
	Version202111 Version = "2021-11"
)

// ErrNoResource means that a body lacks the object of its topic, or that the object has no id.
var ErrNoResource = errors.New("body lacks the object named by its topic, or that object lacks its id")

// Webhook is a decoded body. The object of the topic is set, the others are nil. Customer is also set when the body
// includes it with another resource (included_objects).
type Webhook struct {
	Topic        Topic // by its current name
	Version      Version
	Hash         string // DeliveryHash of topic and body
	Subscription *Subscription
	Charge       *Charge
	Order        *Order
	Customer     *Customer
	// Unreadable are the fields that can't be read and were left out, because no decision needs them.
	Unreadable []string `json:",omitempty"`
	// Backfill is set if this is no webhook, but the resource as Recharge's API shows it.
	Backfill *Backfill `json:",omitempty"`
}

// Backfill is what a resource that was read from Recharge's API is used for, besides the tables. Payloads of webhooks "are identical to
// Recharge's REST API payloads" (https://docs.getrecharge.com/docs/webhooks-overview).
type Backfill struct {
	// FactsSince is the earliest time of the facts that it may show; zero for none.
	FactsSince time.Time
}

// CustomerID returns the id of the webhook's customer, "" if it has none.
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

// Erased reports whether the body shows that the customer's personal data was erased.
func (w Webhook) Erased() bool {
	return w.Subscription != nil && w.Subscription.Erased || w.Charge != nil && w.Charge.Erased ||
		w.Order != nil && w.Order.Erased || w.Customer != nil && w.Customer.Erased
}

// Decoder decodes bodies of both API versions.
type Decoder struct {
	eastern *time.Location
	bodies  *jsonread.Decoder[body]
	lookups *jsonread.Decoder[wireLookup]
	pages   *jsonread.Decoder[wirePage]
}

// NewDecoder returns a Decoder. It fails only if the time zone of Recharge's calendar can't be loaded.
func NewDecoder() (*Decoder, error) {
	eastern, err := easternTime()
	if err != nil {
		return nil, err
	}
	return &Decoder{
		eastern: eastern, bodies: jsonread.NewDecoder[body](), lookups: jsonread.NewDecoder[wireLookup](), pages: jsonread.NewDecoder[wirePage](),
	}, nil
}

// timeParser returns a parser for one body, in the API version with which the webhooks are registered.
func (d *Decoder) timeParser(receivedAt time.Time) *timeParser {
	return &timeParser{eastern: d.eastern, version: Version202111, receivedAt: receivedAt}
}

// body is the envelope of a webhook: the resource, and objects included with it.
type body struct {
	Subscription *wireSubscription `json:"subscription"`
	Charge       *wireCharge       `json:"charge"`
	Order        *wireOrder        `json:"order"`
	Customer     *wireCustomer     `json:"customer"`
}

// Decode decodes a webhook body that was received at a time. Topics of resources other than subscription, charge, order and
// customer give a Webhook without an object. Errors name the field and never quote the body.
func (d *Decoder) Decode(topic Topic, raw []byte, receivedAt time.Time) (Webhook, error) {
	b, unreadable, err := decodeJSON(d.bodies, raw, topic.Resource())
	if err != nil {
		return Webhook{}, fmt.Errorf("decode %s: %w", topic, err)
	}
	w := Webhook{Topic: topic.Current(), Hash: DeliveryHash(topic, raw)}
	p := d.timeParser(receivedAt)
	p.unreadable = unreadable
	known, found := b.resource(&w, p)
	if !known {
		return w, nil
	}
	if !found {
		return Webhook{}, fmt.Errorf("decode %s: %w", topic, ErrNoResource)
	}
	if w.Customer == nil {
		w.Customer = b.included().included(p)
	}
	if p.err != nil {
		return Webhook{}, fmt.Errorf("decode %s: %w", topic, p.err)
	}
	w.Version, w.Unreadable = p.version, p.unreadable
	return w, nil
}

// resource sets the object of the topic in w. It reports whether this kind of resource is decoded, and whether the body has the
// object.
func (b body) resource(w *Webhook, p *timeParser) (known, found bool) {
	switch w.Topic.Resource() {
	case "subscription":
		w.Subscription = b.Subscription.subscription(p)
		return true, w.Subscription != nil
	case "charge":
		w.Charge = b.Charge.charge(p)
		return true, w.Charge != nil
	case "order":
		w.Order = b.Order.order(p)
		return true, w.Order != nil
	case "customer":
		w.Customer = b.Customer.customer(p)
		return true, w.Customer != nil
	}
	return false, false
}

// included returns the customer that the body contains besides its resource: next to it, or under its "include" as in the REST
// API. It is not documented which of the two a webhook uses.
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

// include holds the related objects that the REST API nests.
type include struct {
	Customer *wireCustomer `json:"customer"`
}

// UnmarshalJSON ignores anything but an object, because the API sends an empty list if there are none.
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

// redactJSONError returns an error of encoding/json with the field and the types only, without values.
func redactJSONError(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		if mismatch.Field == "" {
			return fmt.Errorf("body is a JSON %s, not an object", mismatch.Value)
		}
		return fmt.Errorf("field %s is %s, expected %s", mismatch.Field, mismatch.Value, jsonType(mismatch.Type))
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return errors.New("not valid JSON")
}

// jsonType returns what JSON calls a value of a Go type.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	}
	return "number"
}

// versionMarks are the fields that exist in one version only. Bodies do not contain their version.
type versionMarks struct {
	status  text // upper case in 2021-01
	shopify []platformID
	counted bool
}

// version returns the version that the fields show, or fallback if none is set.
func (m versionMarks) version(fallback Version) Version {
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
