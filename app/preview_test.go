package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// One of each event and property that the store sends reaches Bloomreach, marked as a sample.
func TestSample(t *testing.T) {
	simulator := bloomreachtest.New()
	t.Cleanup(simulator.Close)
	store := config.Store{
		Name: "acme", CustomerID: config.CustomerEmail, ActiveProperty: true,
		Bloomreach: config.Bloomreach{
			Enabled: true, URL: simulator.BaseURL(), Project: config.Secret(bloomreachtest.ProjectToken), KeyID: bloomreachtest.KeyID,
			Secret: config.Secret(bloomreachtest.KeySecret), CustomerIDName: "registered", Timeout: time.Second, Extras: []string{"upcoming", "paused"}, Profile: []string{"email"},
		},
	}
	sent, err := app.Sample(t.Context(), store, subscriber.Customer{Email: "test@example.com"}, "1", time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	var names []string
	for _, each := range sent {
		assert.Empty(t, each.Errors, each.Name)
		names = append(names, each.Name)
	}
	assert.Equal(t, []string{
		"subscription created", "subscription activated", "subscription canceled", "subscription deleted", "subscription paused",
		"subscription_charge created", "subscription_charge paid", "subscription_charge upcoming", "subscription_charge upcoming", "customer_change", "customer_property", "customer_profile",
	}, names)
	assert.Len(t, simulator.Events(), 10)
	for _, e := range simulator.Events() {
		assert.Equal(t, true, e.Properties["is_sample"])
		assert.Equal(t, "acme", e.Properties["integration_id"])
	}
	customer, found := simulator.Customer("registered", "test@example.com")
	require.True(t, found)
	assert.Equal(t, true, customer[subscriber.PropertyActive])
	assert.Equal(t, "test@example.com", customer[subscriber.ProfileEmail])
	assert.NotContains(t, customer, subscriber.ProfilePhone, "neither chosen nor of this customer")

	simulator.ForbidEvents("subscription")
	sent, err = app.Sample(t.Context(), store, subscriber.Customer{Email: "test@example.com"}, "1", time.Date(2026, 12, 2, 10, 0, 0, 0, time.UTC))
	require.NoError(t, err, "other types are accepted")
	for _, each := range sent {
		if strings.HasPrefix(each.Name, "subscription ") {
			require.Len(t, each.Errors, 1, each.Name)
			assert.Contains(t, each.Errors[0], "permissions")
		} else {
			assert.Empty(t, each.Errors, each.Name)
		}
	}

	store.Bloomreach.Secret = "wrong"
	_, err = app.Sample(t.Context(), store, subscriber.Customer{Email: "test@example.com"}, "1", time.Date(2026, 12, 3, 10, 0, 0, 0, time.UTC))
	require.ErrorContains(t, err, "bloomreach.key_id")
}
