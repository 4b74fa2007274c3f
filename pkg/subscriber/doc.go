// Package subscriber decides what a webhook means: which events it is worth,
// which texts it triggers or revokes, for which customer. It is pure: no I/O, no
// clock, the same answer for the same input.
//
//	decide.go      Decide: a webhook in, a Decision out; the table of topics
//	events.go      tracking events: the allowed statuses and nothing else
//	triggers.go    the triggers of the twelve flows, and what revokes them
//	charges.go     which failed charges are worth a text, and which text
//	identity.go    whom it is about, and what must be looked up to know
//	text.go        what a trigger's text may mention
//	fact.go        fact ids: the hash of what defines a fact
//	model.go       the records' values, as schemas/ describes them
package subscriber
