// Package subscriber decides what a webhook means: which events it is worth,
// which texts it triggers or revokes, for which customer. It is pure: no I/O, no
// clock, the same answer for the same input.
//
//	decide.go      Decide: a webhook and what is known in, a Decision and what is known then out; the table of topics
//	events.go      tracking events: the allowed statuses and nothing else
//	triggers.go    the triggers of the twelve flows, and what revokes them
//	charges.go     which failed charges are worth a text, and which text
//	change.go      customer_change: what of a customer is another than it was
//	flag.go        recharge_subscription_active: what it is, since when, and for which profile
//	late.go        texts that are not sent because something later undid what they are about
//	learn.go       Learn: what the API answered or an import brings, in the same way; what is asked
//	identity.go    whom it is about, and what must be looked up to know
//	text.go        what a trigger's text may mention
//	fact.go        fact ids: the hash of what defines a fact
//	memory.go      what is known of a customer's subscriptions: the newest snapshot of each
//	known.go       what is known of the customer
//	told.go        which facts were told
//	rows.go        how a memory is kept, and recalled
//	tables.go      what of it others may read: recharge.customers, recharge.subscriptions
//	model.go       the records' values, as schemas/ describes them
//
// docs/adr/0012-memory.md says what is remembered, for how long, and why.
package subscriber
