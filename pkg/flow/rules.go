package flow

import "time"

// Key is the name of a flow. Keys never change: they are part of every message id.
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

// Rule is the rule of a flow, the same for every store.
type Rule struct {
	Flow Key
	// FiredBy is the happening that triggers the flow.
	FiredBy Happening
	// RevokedBy are the happenings that make the text untrue. Each revokes triggers that were already emitted. A late trigger
	// that one of them contradicts is not emitted.
	RevokedBy Revokers
	// Stale is the time after which the text is not sent.
	Stale Stale
	// Absorbs are the flows whose triggers join this flow's text.
	Absorbs Absorbed
	// What a store's flow has until the store changes it: see Flow. Uncapped is the opposite of Flow.DailyCap.
	Window     time.Duration
	PerCharge  int
	Uncapped   bool
	QuietHours bool
}

// Stale is the time after which a text is not sent: a date of the webhook, or else a duration after the happening.
type Stale struct {
	On    Date
	After time.Duration
}

// Date is a date field of a webhook.
type Date string

// The dates that make a text stale.
const (
	ScheduledDate  Date = "charge date" // of a charge or an order
	RetryDate      Date = "retry date"
	NextChargeDate Date = "next charge date"
)

// Absorption is a flow whose triggers join another flow's text.
type Absorption struct {
	Flow  Key
	Scope Scope
}

// Scope is what two triggers must have in common for one to absorb the other.
type Scope string

// The scopes of absorption.
const (
	SameCheckout Scope = "same checkout"
	SameCharge   Scope = "same charge"
)

// The lists of a rule are fixed-size arrays with empty values at the end, so that reading the table allocates nothing.

// Revokers are up to three happenings.
type Revokers [3]Happening

// Absorbed are up to two absorptions.
type Absorbed [2]Absorption

const hour = time.Hour

// table has one rule for each flow, in the order of the table.
func table() [12]Rule {
	return [...]Rule{{
		Flow: SubscriptionStarted, FiredBy: Created, RevokedBy: Revokers{Canceled, Deleted},
		Window: time.Minute, Stale: Stale{After: 24 * hour},
		Absorbs: Absorbed{{ChargePaid, SameCheckout}, {OrderProcessed, SameCheckout}},
	}, {
		Flow: SubscriptionPaused, FiredBy: Paused, RevokedBy: Revokers{Activated},
		Window: time.Minute, Stale: Stale{After: 24 * hour},
	}, {
		Flow: SubscriptionResumed, FiredBy: Activated, RevokedBy: Revokers{Canceled, Paused},
		Window: time.Minute, Stale: Stale{After: 36 * hour}, QuietHours: true,
	}, {
		Flow: SubscriptionCanceled, FiredBy: Canceled, RevokedBy: Revokers{Activated, Replaced},
		Window: time.Minute, Stale: Stale{After: 24 * hour},
	}, {
		Flow: SubscriptionExpired, FiredBy: Expired, RevokedBy: Revokers{Activated},
		Window: time.Minute, Stale: Stale{After: 72 * hour}, QuietHours: true,
	}, {
		Flow: UpcomingOrder, FiredBy: Upcoming, RevokedBy: Revokers{Skipped, Paid, Canceled},
		Stale: Stale{On: ScheduledDate, After: 72 * hour}, QuietHours: true,
	}, {
		Flow: OrderSkipped, FiredBy: Skipped, RevokedBy: Revokers{Unskipped},
		Window: time.Minute, Stale: Stale{On: NextChargeDate, After: 24 * hour}, QuietHours: true,
	}, {
		Flow: OrderProcessed, FiredBy: Processed,
		Window: time.Minute, Stale: Stale{After: 24 * hour}, QuietHours: true,
		Absorbs: Absorbed{{ChargePaid, SameCharge}},
	}, {
		Flow: ChargeWillBeRetried, FiredBy: RetryScheduled, RevokedBy: Revokers{Paid, FailedForGood},
		Stale: Stale{On: RetryDate}, PerCharge: 2, Uncapped: true,
	}, {
		Flow: ChargeFailed, FiredBy: FailedForGood, RevokedBy: Revokers{Paid},
		Stale: Stale{After: 48 * hour}, Uncapped: true,
		Absorbs: Absorbed{{ChargeWillBeRetried, SameCharge}},
	}, {
		Flow: ChargePaid, FiredBy: Paid,
		Window: time.Minute, Stale: Stale{After: 24 * hour},
	}, {
		Flow: CustomerAccountActivation, FiredBy: AccountActivated,
		Stale: Stale{After: 72 * hour}, Uncapped: true,
	}}
}

// Rules returns the rules of all flows, in the order of the table.
func Rules() []Rule {
	rules := table()
	return rules[:]
}

// Keys returns the keys of all flows, in the order of the table.
func Keys() []Key {
	rules := table()
	keys := make([]Key, len(rules))
	for i := range rules {
		keys[i] = rules[i].Flow
	}
	return keys
}

// FiredBy returns the flows that a happening triggers.
func FiredBy(h Happening) (keys []Key) {
	rules := table()
	for i := range rules {
		if rules[i].FiredBy == h {
			keys = append(keys, rules[i].Flow)
		}
	}
	return keys
}

// RevokedBy returns the flows whose triggers a happening revokes.
func RevokedBy(h Happening) (keys []Key) {
	rules := table()
	for i := range rules {
		if rules[i].RevokedBy.Has(h) {
			keys = append(keys, rules[i].Flow)
		}
	}
	return keys
}

// RuleOf returns the rule of a flow or of Help; the zero Rule for an unknown flow.
func RuleOf(key Key) Rule {
	rules := table()
	for i := range rules {
		if rules[i].Flow == key {
			return rules[i]
		}
	}
	if key == Help {
		return helpRule()
	}
	return Rule{Flow: key}
}

// Has reports whether h is in the list.
func (r Revokers) Has(h Happening) bool { return r[0] == h || r[1] == h || r[2] == h }

// Has reports whether the triggers of a flow are absorbed.
func (a Absorbed) Has(key Key) bool { return key != "" && (a[0].Flow == key || a[1].Flow == key) }
