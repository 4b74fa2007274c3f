// Package subscriber decides what a webhook produces: which events it emits and which texts it triggers or revokes, for which
// customer. It is pure: no I/O, no clock, the same decision for the same input.
//
//	decide.go           Decide: a webhook and a customer's state in, a Decision and the new state out
//	events.go           tracking events: the allowed statuses and nothing else
//	triggers.go         triggers and revocations, as schemas/ describes them, by the table of flows, pkg/flow
//	facts.go            facts that are tracked only if a store asks for them, and what a snapshot changed
//	charge_table.go     the public table recharge.charges
//	charge_owner.go     charges that are deleted: their webhook names no customer
//	charges.go          failed charges: which trigger a text, and which text, and why their attempts failed
//	switches.go         what triggers a text in stores that want it, and which topics are used
//	change.go           customer_change: which fields of a customer changed
//	active_property.go  recharge_subscription_active: its value, its time and its profile
//	profile.go          the customer properties that a store has chosen
//	withheld.go         triggers that are not emitted, and why: late ones that are contradicted, canceled subscriptions that are replaced by
//	                    another one, prepaid gifts
//	backfill.go         the facts that a resource shows which was read from the API
//	apply_lookup.go     ApplyLookup: the same for an answer of the API, or an import
//	owner.go            subscriptions that move to another customer
//	identity.go         the customer of an output, whose phone a text goes to, and what must be looked up to know it
//	erased.go           customers whose personal data was erased at Recharge
//	text.go             the variables of a trigger's text; links to the customer portal
//	fact.go             fact ids: the hash of what defines a fact; the facts that were emitted
//	state.go            State, the newest snapshot of each subscription, and which parts are expired
//	customer_state.go   the customer's own part of the state
//	state_json.go       the state as JSON, and whether two states have the same
//	tables.go           the public tables recharge.customers and recharge.subscriptions
//	model.go            events, as schemas/ describes them, and why a subscription was canceled
//	resources.go        subscriptions, charges and orders in events, facts, tables and triggers
//
// pkg/customerstate saves and loads the state. docs/adr/0012-memory.md says what it holds, for how long, and why.
package subscriber
