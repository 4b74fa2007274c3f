// Package attentive is the driver for Attentive, which keeps its own texts: it sends a custom event, which triggers the journeys of that event
// (https://docs.attentive.com/reference/postcustomevents).
//
//	POST {api}/v1/events/custom, as JSON, with the key of a custom app that may write custom events
//
//	type              "Recharge {flow}"
//	user              the customer's number and e-mail, as far as they are known
//	occurredAt        when it happened
//	properties        what a text can use
//	externalEventId   a UUID that is made of the text's id
//
// An event that is older than 12 hours triggers no journey, and is accepted all the same. The flow has decided that it is still worth a text, for
// example after quiet hours, so one that is nearly as old is sent without occurredAt, and counts as one of now. Its property occurred_at says
// when it happened.
//
// Attentive does not say that it drops a second event with an externalEventId, so a call without an answer is unknown. Neither consent nor
// quiet hours are asked for here. The answers have no documented body.
//
//	attentive.go   Driver: sends an event, classifies the answer
//	event.go       the body of a request
package attentive
