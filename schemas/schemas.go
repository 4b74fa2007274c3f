// Package schemas holds the JSON Schemas of the values that the product writes to Kafka. They are the contract with consumers
// of its topics.
package schemas

import (
	"embed"
	"fmt"
)

//go:embed */v1.json
var files embed.FS

// The subjects. Each has its own directory.
const (
	Subscription       = "subscription"
	SubscriptionCharge = "subscription_charge"
	CustomerChange     = "customer_change"
	CustomerProperty   = "customer_property"
	CustomerProfile    = "customer_profile"
	Fact               = "fact"
	SMSTrigger         = "sms_trigger"
	SMSRevocation      = "sms_revocation"
	SMSReceipt         = "sms_receipt"
	SMSClick           = "sms_click"
	Link               = "link"
	Consent            = "consent"
	Message            = "message"
	MessageText        = "message_text"
	Customers          = "customers"
	Subscriptions      = "subscriptions"
	Charges            = "charges"
	Lookup             = "lookup"
	SubscriptionOwner  = "subscription_owner"
	SubscriptionMoved  = "subscription_moved"
	ChargeOwner        = "charge_owner"
	ChargeDeletion     = "charge_deletion"
	SettingsFlow       = "settings_flow"
	SettingsSending    = "settings_sending"
	SettingsImport     = "settings_import"
	SettingsSegment    = "settings_segment"
	SettingsToken      = "settings_token"
	SegmentMember      = "segment_member"
)

// Subjects returns all subjects.
func Subjects() []string {
	return []string{
		Subscription, SubscriptionCharge, CustomerChange, CustomerProperty, CustomerProfile, Fact, SMSTrigger, SMSRevocation, SMSReceipt, SMSClick, Link, Consent, Message, MessageText, Customers, Subscriptions, Charges, Lookup,
		SubscriptionOwner, SubscriptionMoved, ChargeOwner, ChargeDeletion, SettingsFlow, SettingsSending, SettingsImport, SettingsSegment, SettingsToken, SegmentMember,
	}
}

// URN returns the "$id" of a subject's schema, which is the ce_dataschema header of its records.
func URN(subject string) string { return string(AppendURN(nil, subject)) }

// AppendURN appends the URN of a subject.
func AppendURN(b []byte, subject string) []byte {
	return append(append(append(b, "urn:rechargeflow:schema:"...), subject...), ":v1"...)
}

// Read returns a subject's schema document.
func Read(subject string) ([]byte, error) {
	document, err := files.ReadFile(subject + "/v1.json")
	if err != nil {
		return nil, fmt.Errorf("read schema %s: %w", subject, err)
	}
	return document, nil
}
