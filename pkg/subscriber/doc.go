// Package subscriber decides what a webhook produces: which events it emits and which texts it triggers or revokes, for which
// customer. It is pure: no I/O, no clock, the same decision for the same input.
//
//	decide.go           Decide: a webhook and a customer's state in, a Decision and the new state out
//	events.go           tracking events: the allowed statuses and nothing else
//	triggers.go         triggers and revocations, as schemas/ describes them, by the table of flows, pkg/flow
//	charges.go          which failed charges trigger a text, and which text
//	switches.go         what triggers a text in stores that want it
//	replaced.go         canceled subscriptions that need no text: replaced by another one, or a prepaid gift
//	failures.go         why attempts of a charge failed, and how many texts were about them
//	change.go           customer_change: which fields of a customer changed
//	active_property.go  recharge_subscription_active: its value, its time and its profile
//	late.go             late triggers that are contradicted by what revokes them
//	withheld.go         triggers that are not emitted, and why
//	apply_lookup.go     ApplyLookup: the same for an answer of the API, or an import
//	owner.go            subscriptions that move to another customer
//	identity.go         the customer of an output, whose phone a text goes to, and what must be looked up to know it
//	erased.go           customers whose personal data was erased at Recharge
//	text.go             the variables of a trigger's text
//	fact.go             fact ids: the hash of what defines a fact; the facts that were emitted
//	state.go            State, the newest snapshot of each subscription, and which parts are expired
//	customer_state.go   the customer's own part of the state
//	state_json.go       the state as JSON, and whether two states have the same
//	explain.go          what a topic produces, for docs/webhooks.md
//	why.go              why a topic is used or not, for docs/webhooks.md
//	pages.go            docs/flows.md and docs/webhooks.md, generated
//	tables.go           the public tables recharge.customers and recharge.subscriptions
//	model.go            events and their resources, as schemas/ describes them
//
// pkg/customerstate saves and loads the state. docs/adr/0012-memory.md says what it holds, for how long, and why.
package subscriber
