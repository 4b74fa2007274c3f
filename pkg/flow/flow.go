// Package flow holds the text message flows: their definitions, their Liquid texts, and what a text costs.
// It is pure: no clock, no network, no files.
//
// Read it in this order: flow.go (what a flow is), parse.go (the YAML file), check.go (what may not be activated),
// syntax.go (the language of texts), variables.go (what a text may mention), render.go, normalize.go, segments.go.
package flow

// Key names a flow. Keys never change: they are part of every message's identity.
type Key string

// The twelve flows.
const (
	SubscriptionStarted       Key = "subscription_started"
	SubscriptionPaused        Key = "subscription_paused"
	SubscriptionResumed       Key = "subscription_resumed"
	SubscriptionCanceled      Key = "subscription_canceled"
	SubscriptionExpired       Key = "subscription_expired"
	UpcomingOrder             Key = "upcoming_order"
	OrderSkipped              Key = "order_skipped"
	OrderProcessed            Key = "order_processed"
	ChargeWillBeRetried       Key = "charge_will_be_retried"
	ChargeFailed              Key = "charge_failed"
	ChargePaid                Key = "charge_paid"
	CustomerAccountActivation Key = "customer_account_activation"
)

// Flow is one kind of text: when something happens to a subscriber, this is what the shop says.
type Flow struct {
	Key        Key    // one of the twelve
	Name       string // what people call it
	Text       string // Liquid template, at most MaxSource bytes
	Active     bool   // false: its triggers are counted, nothing is sent
	QuietHours bool   // true: a text is held back during quiet hours
}

// Keys returns the keys of the twelve flows, in the order of the user interface.
func Keys() []Key {
	return []Key{
		SubscriptionStarted, SubscriptionPaused, SubscriptionResumed, SubscriptionCanceled, SubscriptionExpired,
		UpcomingOrder, OrderSkipped, OrderProcessed,
		ChargeWillBeRetried, ChargeFailed, ChargePaid,
		CustomerAccountActivation,
	}
}

// KeepsQuiet tells whether quiet hours always apply to the flow: so they do to five of the twelve.
func (k Key) KeepsQuiet() bool {
	switch k {
	case OrderSkipped, SubscriptionExpired, SubscriptionResumed, UpcomingOrder, OrderProcessed:
		return true
	default:
		return false
	}
}
