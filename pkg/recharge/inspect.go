package recharge

import (
	"encoding/json"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// Inspection is what is found in the body of a webhook without decoding it.
type Inspection struct {
	// CustomerID is the first of {resource}.customer_id, {resource}.customer.id and customer.id that is an id, "" if the body names no customer.
	CustomerID string
	// ResourceID is {resource}.id, "" if that is not an id.
	ResourceID string
	// OtherResource is the resource that the body has instead of that of its topic, "" if the body may belong to the topic.
	OtherResource string
}

// Inspect reads the body of a webhook of a topic once, and reports whether it is valid JSON.
//
// An id is a JSON integer above zero or a string of its digits. Names match exactly, and the last of a repeated name counts. A
// full decode may differ in both; Recharge sends no such body.
func Inspect(topic Topic, body []byte) (found Inspection, valid bool) {
	b := bodyScan{Scanner: jsonread.Scan(body), resource: topic.Resource()}
	b.root()
	if !b.Complete() {
		return Inspection{}, false
	}
	found.ResourceID = digits(b.own.id)
	for _, id := range [][]byte{b.own.customerID, b.own.customer, b.included} {
		if found.CustomerID == "" {
			found.CustomerID = digits(id)
		}
	}
	if !b.hasOwn && b.other != nil && hasKnownBody(topic) {
		found.OtherResource = string(b.other)
	}
	return found, true
}

// bodyScan finds the values of the members that Inspect needs, nil for those that are missing.
type bodyScan struct {
	jsonread.Scanner

	resource string // of the topic
	own      resourceIDs
	included []byte // customer.id
	hasOwn   bool   // there is a member with the name of the resource
	other    []byte // the last name of another resource
}

// resourceIDs are {resource}.id, {resource}.customer_id and {resource}.customer.id.
type resourceIDs struct{ id, customerID, customer []byte }

func (b *bodyScan) root() {
	if b.Kind() != '{' {
		b.Raw()
		return
	}
	for name := range b.Members() {
		switch {
		case string(name) == b.resource:
			b.hasOwn, b.own = true, b.readResource()
			if b.resource == "customer" {
				b.included = b.own.id
			}
		case string(name) == "customer":
			b.other, b.included = name, b.readID()
		case isRootResource(name):
			b.other = name
		}
	}
}

func (b *bodyScan) readResource() (ids resourceIDs) {
	if b.Kind() != '{' {
		return ids
	}
	for name := range b.Members() {
		switch string(name) {
		case "id":
			ids.id = b.Raw()
		case "customer_id":
			ids.customerID = b.Raw()
		case "customer":
			ids.customer = b.readID()
		}
	}
	return ids
}

// readID returns the id of an object.
func (b *bodyScan) readID() (id []byte) {
	if b.Kind() != '{' {
		return nil
	}
	for name := range b.Members() {
		if string(name) == "id" {
			id = b.Raw()
		}
	}
	return id
}

// isRootResource reports whether bodies have their object under a name. An included customer or address is beside the object.
func isRootResource(name []byte) bool {
	switch string(name) {
	case "subscription", "charge", "order", "customer", "address", "onetime", "checkout", "async_batch":
		return true
	}
	return false
}

// hasKnownBody reports whether the bodies of a topic have an object under the name of the topic's resource: "The callback for the
// subscription/created webhook will be identical to the payload of a GET request to the subscriptions/<subscription_id> endpoint"
// (https://docs.getrecharge.com/docs/webhooks-overview). Those of some topics are neither documented nor recorded: any body may
// belong to them.
func hasKnownBody(topic Topic) bool {
	switch topic {
	case "customer/payment_method_updated", "order/upcoming",
		"subscription/skipped", "subscription/unskipped", "subscription/removed_from_skipped_charge",
		"subscription/swapped", "subscription/paused":
		return false // neither documented nor recorded
	}
	return topic.Known() && slices.Contains([]string{"subscription", "charge", "order", "customer"}, topic.Resource())
}

// digits returns the id in a raw JSON number or string, "" if it is not an id.
func digits(raw []byte) string {
	if slices.Contains(raw, '\\') {
		var plain string
		_ = json.Unmarshal(raw, &plain) // not a string: not an id
		raw = []byte(plain)
	} else if len(raw) >= 2 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	if !isID(raw) {
		return ""
	}
	return string(raw)
}

// maxIDDigits is the number of digits of the largest 64-bit integer.
const maxIDDigits = 19

func isID[T string | []byte](s T) bool {
	return len(s) > 0 && len(s) <= maxIDDigits && s[0] != '0' && isDigits(string(s))
}
