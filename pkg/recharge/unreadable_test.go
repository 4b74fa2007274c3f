package recharge_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// neededFields are the fields without which a webhook of their resource is a dead letter.
func neededFields() []string {
	return strings.Fields(`
		subscription subscription.id subscription.customer_id subscription.customer subscription.customer.id subscription.status
		subscription.created_at subscription.updated_at subscription.cancelled_at
		charge charge.id charge.customer_id charge.customer charge.customer.id charge.status charge.created_at charge.updated_at
		charge.processed_at charge.scheduled_at charge.retry_date charge.error_type charge.charge_attempts charge.number_times_tried
		charge.total_price charge.line_items charge.line_items.subscription_id charge.line_items.purchase_item_id
		charge.line_items.purchase_item_type charge.line_items.type
		order order.id order.customer_id order.customer order.customer.id order.charge_id order.charge order.charge.id order.updated_at
		order.processed_at order.scheduled_at order.line_items order.line_items.subscription_id order.line_items.purchase_item_id
		order.line_items.purchase_item_type order.line_items.type
		customer customer.id customer.email customer.updated_at
		customer.subscriptions_active_count customer.number_active_subscriptions`)
}

// paths returns the path of each member of a JSON object, and calls set for it with each element of a list.
func eachMember(value any, path string, visit func(path string, parent map[string]any, name string)) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			inner := strings.TrimPrefix(path+"."+name, ".")
			visit(inner, value, name)
			eachMember(member, inner, visit)
		}
	case []any:
		for _, element := range value {
			eachMember(element, path, visit)
		}
	}
}

// Rubbish of each JSON type in each field of each resource: only for the fields that decisions need it costs the webhook.
func TestUnreadableFields(t *testing.T) {
	files, err := filepath.Glob("testdata/decode/*.json")
	require.NoError(t, err)
	rubbish := []any{"rubbish", -1.5, true, []any{"rubbish"}, map[string]any{"rubbish": 1}, []any{}, map[string]any{}}
	tried := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var fixture struct {
			Topic recharge.Topic
			Body  any
		}
		require.NoError(t, json.Unmarshal(raw, &fixture))
		resource := fixture.Topic.Resource()
		eachMember(fixture.Body, "", func(path string, parent map[string]any, name string) {
			was := parent[name]
			for _, value := range rubbish {
				parent[name] = value
				body, err := json.Marshal(fixture.Body)
				require.NoError(t, err)
				w, err := newDecoder(t).Decode(fixture.Topic, body, start(t))
				tried++
				own := path == resource || strings.HasPrefix(path, resource+".")
				if own && slices.Contains(neededFields(), path) {
					continue // an error, unless the field takes the value
				}
				require.NoError(t, err, "%s: %s in %s", file, body, path)
				if resource != "async_batch" {
					assert.NotEmpty(t, w.Subscription != nil || w.Charge != nil || w.Order != nil || w.Customer != nil, path)
				}
				for _, field := range w.Unreadable {
					assert.NotContains(t, field, "rubbish")
				}
			}
			parent[name] = was
		})
	}
	require.Greater(t, tried, 1000)
}

// A needed field that is no scalar costs the webhook, in each resource.
func TestNeededFields(t *testing.T) {
	for _, path := range neededFields() {
		resource, field, inside := strings.Cut(path, ".")
		if !inside {
			_, err := newDecoder(t).Decode(recharge.Topic(resource+"/created"), fmt.Appendf(nil, `{%q: "rubbish"}`, resource), start(t))
			require.ErrorContains(t, err, "field "+resource+" is string")
			continue
		}
		body := `"rubbish"`
		if field != "line_items" && field != "customer" && field != "charge" {
			body = `[["rubbish"]]`
		}
		names := strings.Split(field, ".")
		for i := len(names) - 1; i >= 0; i-- {
			body = fmt.Sprintf(`{%q: %s}`, names[i], body)
			if i > 0 && names[i-1] == "line_items" {
				body = "[" + body + "]"
			}
		}
		if field != "id" {
			body = `{"id": 1, ` + strings.TrimPrefix(body, "{")
		}
		_, err := newDecoder(t).Decode(recharge.Topic(resource+"/created"), fmt.Appendf(nil, `{%q: %s}`, resource, body), start(t))
		require.ErrorContains(t, err, path)
		assert.NotContains(t, err.Error(), "rubbish")
	}
}

func TestUnreadableFieldsAreLeftOut(t *testing.T) {
	tests := []struct {
		name, topic, body string
		unreadable        []string
		check             func(t *testing.T, w recharge.Webhook)
	}{
		{
			"two fields", "subscription/created", `{"subscription": {"id": 1, "quantity": {}, "price": "rubbish", "sku": "HB-1"}}`,
			[]string{"subscription.price", "subscription.quantity"},
			func(t *testing.T, w recharge.Webhook) {
				assert.Equal(t, &recharge.Subscription{ID: "1", SKU: "HB-1"}, w.Subscription)
			},
		},
		{
			"a day", "subscription/created", `{"subscription": {"id": 1, "next_charge_scheduled_at": "rubbish"}}`,
			[]string{"subscription.next_charge_scheduled_at"},
			func(t *testing.T, w recharge.Webhook) { assert.Empty(t, w.Subscription.NextChargeDate) },
		},
		{
			"one line item of two", "charge/paid", `{"charge": {"id": 1, "line_items": [{"title": "A", "quantity": 2}, {"title": "B", "quantity": "rubbish"}]}}`,
			[]string{"charge.line_items.quantity"},
			func(t *testing.T, w recharge.Webhook) {
				assert.Equal(t, []recharge.LineItem{{Title: "A", Quantity: 2, Kind: recharge.KindSubscription}, {Title: "B", Kind: recharge.KindSubscription}}, w.Charge.LineItems)
			},
		},
		{
			"an address", "charge/paid", `{"charge": {"id": 1, "billing_address": [1], "shipping_address": {"zip": {}, "first_name": "Jo"}}}`,
			[]string{"charge.billing_address", "charge.shipping_address.zip"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "Jo", w.Charge.Contact.Shipping.FirstName) },
		},
		{
			"a phone is unknown then, not none", "customer/updated", `{"customer": {"id": 1, "phone": {}}}`,
			[]string{"customer.phone"},
			func(t *testing.T, w recharge.Webhook) { assert.False(t, w.Customer.PhoneKnown) },
		},
		{
			"an included customer", "charge/paid", `{"charge": {"id": 1}, "customer": {"id": 2, "email": "jo@example.com", "last_name": []}}`,
			[]string{"customer.last_name"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "jo@example.com", w.Customer.Email) },
		},
		{
			"an included customer's time", "charge/paid", `{"charge": {"id": 1}, "customer": {"id": 2, "updated_at": "rubbish"}}`,
			[]string{"customer.updated_at"},
			func(t *testing.T, w recharge.Webhook) { assert.Nil(t, w.Customer) },
		},
		{
			"an included customer's id", "charge/paid", `{"charge": {"id": 1}, "customer": {"id": "rubbish"}}`,
			[]string{"customer.id"},
			func(t *testing.T, w recharge.Webhook) { assert.Nil(t, w.Customer) },
		},
		{
			"a list for a customer whose id is known", "charge/paid", `{"charge": {"id": 1, "customer_id": 2, "customer": []}}`,
			[]string{"charge.customer"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "2", w.CustomerID()) },
		},
		{
			"the same in an order", "order/processed", `{"order": {"id": 1, "customer_id": "2", "customer": []}}`,
			[]string{"order.customer"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "2", w.CustomerID()) },
		},
		{
			"the same in a subscription", "subscription/created", `{"Subscription": {"id": 1, "customer_id": 2, "customer": []}}`,
			[]string{"subscription.customer"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "2", w.CustomerID()) },
		},
		{
			"the id in a customer object beside a valid one", "charge/paid", `{"charge": {"id": 1, "customer_id": 2, "customer": {"id": {}, "email": "jo@example.com"}}}`,
			[]string{"charge.customer.id"},
			func(t *testing.T, w recharge.Webhook) {
				assert.Equal(t, "2", w.CustomerID())
				assert.Equal(t, "jo@example.com", w.Charge.Email)
			},
		},
		{
			"a customer's status", "customer/updated", `{"customer": {"id": 2, "status": {}, "email": "jo@example.com"}}`,
			[]string{"customer.status"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "jo@example.com", w.Customer.Email) },
		},
		{
			"an included customer's status", "charge/paid", `{"charge": {"id": 1}, "customer": {"id": 2, "status": []}}`,
			[]string{"customer.status"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "2", w.CustomerID()) },
		},
		{
			"a nested customer", "charge/paid", `{"charge": {"id": 1, "include": {"customer": {"id": 2, "email": {}}}}}`,
			[]string{"charge.include.customer.email"},
			func(t *testing.T, w recharge.Webhook) { assert.Nil(t, w.Customer) },
		},
		{
			"names in another case", "subscription/created", `{"Subscription": {"ID": 1, "SKU": {}}}`,
			[]string{"subscription.sku"},
			func(t *testing.T, w recharge.Webhook) { assert.Equal(t, "1", w.Subscription.ID) },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, err := newDecoder(t).Decode(recharge.Topic(test.topic), []byte(test.body), start(t))
			require.NoError(t, err)
			slices.Sort(w.Unreadable)
			assert.Equal(t, test.unreadable, w.Unreadable)
			test.check(t, w)
		})
	}
}
