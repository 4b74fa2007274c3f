package sms_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

func TestEventName(t *testing.T) {
	assert.Equal(t, "Recharge charge_failed", sms.EventName(sms.Message{Flow: "charge_failed"}))
}

func TestEventProperties(t *testing.T) {
	assert.Equal(t, map[string]string{
		"charge_total": "34.50", "order_number": "#1001", "first_name": "Jo", "store": "acme", "resources": "charge/501, subscription/71",
		"recharge_customer_id": "90001", "consent": "opted_in",
	}, sms.EventProperties(sms.Message{
		Store: "acme", CustomerID: "90001", Items: []string{"charge/501", "subscription/71"}, Values: &sms.Values{
			Consent:   "opted_in",
			Variables: map[string]string{"charge.total": "34.50", "order_number": "#1001", "order.number": "1001", "first_name": "Jo", "total": ""},
		},
	}))
	assert.Empty(t, sms.EventProperties(sms.Message{}), "what is not known is left out")
}

// Each value of a text is a property of its own, whose name no platform takes for something else. Only those that are the same value twice
// share one.
func TestEventPropertiesOfAllValues(t *testing.T) {
	variables, properties := map[string]string{}, 0
	for _, name := range flow.Names() {
		variables[name] = name
		if flat := strings.ReplaceAll(name, ".", "_"); flat == name || !strings.Contains(" "+strings.Join(flow.Names(), " ")+" ", " "+flat+" ") {
			properties++
		}
	}
	all := sms.EventProperties(sms.Message{Values: &sms.Values{Variables: variables}})
	assert.Len(t, all, properties)
	for name := range all {
		assert.Regexp(t, `^[a-z_]+$`, name)
	}
	for _, own := range []string{"store", "resources", "consent", "recharge_customer_id"} {
		assert.NotContains(t, all, own, "no value of a text has the name of another property")
	}
}
