package sms

import "strings"

// EventName returns the name of the event that a platform gets for a trigger: "Recharge charge_failed".
func EventName(m Message) string { return "Recharge " + m.Flow }

// EventProperties returns the properties of that event, all of them texts: the variables, "charge.total" as charge_total; and store, resources,
// consent and recharge_customer_id, as far as they are known. A platform may read a dot as the property of an object.
func EventProperties(m Message) map[string]string {
	properties := map[string]string{}
	if m.Values != nil {
		for name, value := range m.Values.Variables {
			property := strings.ReplaceAll(name, ".", "_")
			if _, taken := m.Values.Variables[property]; !taken || property == name { // order_number and order.number are one
				properties[property] = value
			}
		}
		properties["consent"] = m.Values.Consent
	}
	properties["store"], properties["recharge_customer_id"] = m.Store, m.CustomerID
	properties["resources"] = strings.Join(m.Items, ", ")
	for name, value := range properties {
		if value == "" {
			delete(properties, name)
		}
	}
	return properties
}
