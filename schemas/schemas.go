// Package schemas holds the JSON Schemas of every value that the product writes
// to Kafka: the contract with whoever reads its topics.
package schemas

import (
	"embed"
	"fmt"
)

//go:embed */v1.json
var files embed.FS

// The subjects, one folder each.
const (
	Subscription       = "subscription"
	SubscriptionCharge = "subscription_charge"
	CustomerChange     = "customer_change"
	CustomerProperty   = "customer_property"
	SMSTrigger         = "sms_trigger"
	SMSRevocation      = "sms_revocation"
	Customers          = "customers"
	Subscriptions      = "subscriptions"
	Lookup             = "lookup"
)

// Subjects lists them all.
func Subjects() []string {
	return []string{Subscription, SubscriptionCharge, CustomerChange, CustomerProperty, SMSTrigger, SMSRevocation, Customers, Subscriptions, Lookup}
}

// URN is a subject's "$id", and the ce_dataschema header of its records.
func URN(subject string) string { return "urn:rechargeflow:schema:" + subject + ":v1" }

// Read returns a subject's schema document.
func Read(subject string) ([]byte, error) {
	document, err := files.ReadFile(subject + "/v1.json")
	if err != nil {
		return nil, fmt.Errorf("read schema %s: %w", subject, err)
	}
	return document, nil
}
