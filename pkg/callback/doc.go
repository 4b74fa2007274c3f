// Package callback receives what SMS providers report: replies, opt-outs and delivery reports. It verifies each and publishes it before it
// answers 200.
//
//	in         POST /callbacks/{store}/{driver}, signed as the provider does
//	out        recharge.consent: a change of a number's consent; recharge.sms-receipts: a delivery report, in the partition of its text; a reply that asks for help,
//	           as a trigger
//	guarantee  a 200 means that every in-sync replica has it, or that nothing comes of it
//	on failure 503: send it again. A callback that comes twice, late or out of order has the effect that it has once and in time
//
//	handler.go     Handler: verify, publish, answer
//	refusal.go     why a callback is refused, and the answer
//	record.go      a callback as a record
//	help.go        a reply that asks for help as a trigger
//	repetition.go  callbacks that are sent again and again
package callback
