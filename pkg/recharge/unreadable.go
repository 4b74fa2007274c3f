package recharge

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// A field that can't be read does not cost a webhook if no decision needs it: it is left out. Of an object that is included with
// another resource nothing is needed, but it is left out whole if it lacks what would be needed of it.

// needed reports whether a decision needs a field: ids, statuses, times that order facts or make a text stale, the amount of a
// charge, and what identifies a customer. A customer object is needed only where customer_id is absent.
func needed(resource, field string) bool {
	switch resource {
	case "subscription":
		return slices.Contains([]string{
			"", "id", "customer_id", "customer", "customer.id", "status", "created_at", "updated_at", "cancelled_at",
		}, field)
	case "charge":
		return slices.Contains([]string{
			"", "id", "customer_id", "customer", "customer.id", "status", "created_at", "updated_at", "processed_at", "scheduled_at",
			"retry_date", "error_type", "charge_attempts", "number_times_tried", "total_price", "line_items",
			"line_items.subscription_id", "line_items.purchase_item_id", "line_items.purchase_item_type", "line_items.type",
		}, field)
	case "order":
		return slices.Contains([]string{
			"", "id", "customer_id", "customer", "customer.id", "charge_id", "charge", "charge.id", "updated_at", "processed_at",
			"scheduled_at", "line_items", "line_items.subscription_id", "line_items.purchase_item_id",
			"line_items.purchase_item_type", "line_items.type",
		}, field)
	case "customer":
		return slices.Contains([]string{
			"", "id", "email", "updated_at", "subscriptions_active_count", "number_active_subscriptions",
		}, field)
	}
	return true
}

// listOrLookup stands for the resource of a list or a lookup.
const listOrLookup = "list or lookup"

// decodeJSON decodes the JSON of a resource without the fields that can't be read and that no decision needs. It returns their
// names. Only a body with such a field is decoded again.
func decodeJSON[T any](decoder *jsonread.Decoder[T], raw []byte, resource string) (*T, []string, error) {
	var unreadable []string
	for {
		value := new(T)
		err := decoder.Decode(raw, value)
		if err == nil {
			return value, unreadable, nil
		}
		var mismatch *json.UnmarshalTypeError
		if !errors.As(err, &mismatch) || mismatch.Field == "" {
			return nil, nil, redactJSONError(err)
		}
		field, ok := leftOut(mismatch.Field, resource)
		if !ok && namesCustomer(mismatch.Field, resource) && hasCustomerID(raw, resource) {
			field, ok = mismatch.Field, true
		}
		if ok {
			raw, ok = withoutField(raw, strings.Split(field, "."), mismatch.Value)
		}
		if !ok {
			return nil, nil, redactJSONError(err)
		}
		unreadable = append(unreadable, mismatch.Field)
	}
}

// namesCustomer reports whether a field of a resource is its customer object or the id in it.
func namesCustomer(field, resource string) bool {
	return field == resource+".customer" || field == resource+".customer.id"
}

// hasCustomerID reports whether a resource has a valid customer_id. Then no decision needs the id in its customer object.
func hasCustomerID(raw []byte, resource string) bool {
	var resources map[string]json.RawMessage
	if json.Unmarshal(raw, &resources) != nil {
		return false
	}
	var of struct {
		CustomerID id `json:"customer_id"`
	}
	for name, object := range resources {
		if strings.EqualFold(name, resource) && json.Unmarshal(object, &of) != nil {
			return false
		}
	}
	return of.CustomerID != ""
}

// leftOut returns the path that is left out where a field can't be read: the field, or the included object that needs it. ok is
// false if a decision needs the field.
func leftOut(path, resource string) (leave string, ok bool) {
	object, field, _ := strings.Cut(path, ".")
	if resource == listOrLookup {
		resource = strings.TrimSuffix(object, "s") // its subscriptions and its customer are what was asked for
	}
	included := object != resource && object != resource+"s"
	if inner, nested := strings.CutPrefix(field, "include.customer"); nested {
		object, field, included = object+".include.customer", strings.TrimPrefix(inner, "."), true
	}
	switch {
	case !included:
		return path, !needed(resource, field)
	case needed("customer", field):
		return object, true
	}
	return path, true
}

// withoutField returns JSON without the values of a kind at a path, in all elements of lists. Without a value of that kind, it
// removes the value of any kind.
func withoutField(raw []byte, path []string, kind string) ([]byte, bool) {
	kind, _, _ = strings.Cut(kind, " ")
	if left, ok := removeField(raw, path, kind); ok {
		return left, true
	}
	return removeField(raw, path, "")
}

func removeField(raw json.RawMessage, path []string, kind string) (left json.RawMessage, removed bool) {
	var value any
	switch raw = bytes.TrimSpace(raw); raw[0] {
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return raw, false
		}
		for i := range list {
			var ok bool
			list[i], ok = removeField(list[i], path, kind)
			removed = removed || ok
		}
		value = list
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return raw, false
		}
		removed = removeMember(object, path, kind)
		value = object
	}
	if !removed {
		return raw, false
	}
	left, err := json.Marshal(value)
	return left, err == nil
}

// removeMember removes a value from an object. Like encoding/json it ignores the case of names.
func removeMember(object map[string]json.RawMessage, path []string, kind string) (removed bool) {
	for name, value := range object {
		switch {
		case !strings.EqualFold(name, path[0]):
		case len(path) > 1:
			inner, ok := removeField(value, path[1:], kind)
			object[name], removed = inner, removed || ok
		case kind == "" || kindOf(value) == kind:
			delete(object, name)
			removed = true
		}
	}
	return removed
}
