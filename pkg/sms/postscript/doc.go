// Package postscript is the driver for Postscript, which keeps its own texts: it creates a custom event, which triggers the flows of that event
// (https://developers.postscript.io/reference/create-custom-event).
//
//	POST {api}/api/v2/events, as JSON, with the private key of the shop, or with that of a partner and the shop's
//
//	type             "Recharge_{flow}": Postscript takes letters, digits and underscores
//	phone, email     the customer's, as far as they are known
//	occurred_at      when it happened, in UTC
//	properties       what a text can use
//	external_id      the id of the text
//
// Postscript does not say that it drops a second event with an external_id, so a call without an answer is unknown. It looks up the subscriber
// after it has answered 202: an event of somebody who is none is accepted, too. Neither consent nor quiet hours are asked for here.
//
// A refusal has {"error_code":3002,"error_message":"...","success":false}. The only code that is published is 3002, too many requests.
//
//	postscript.go   Driver: creates an event, classifies the answer
package postscript
