package flow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Values are those that a text would show, without unknown ones.
func TestValues(t *testing.T) {
	values := flow.Variables{
		Shop: flow.Shop{Name: "Acme"}, Customer: flow.Customer{FirstName: "Jo"}, Subscription: flow.Subscription{Quantity: 2},
		Items: flow.Items{Titles: []string{"Coffee", "Tea"}, Summary: "Coffee and Tea"},
	}.Values()
	assert.Equal(t, map[string]string{
		"shop.name": "Acme", "shop_name": "Acme", "customer.first_name": "Jo", "first_name": "Jo", "subscription.quantity": "2",
		"items": "Coffee, Tea", "items_count": "2", "items_summary": "Coffee and Tea",
	}, values)
	assert.Empty(t, flow.Variables{}.Values())
}
