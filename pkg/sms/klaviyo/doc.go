// Package klaviyo is the driver for Klaviyo, which keeps its own texts: it creates an event, which triggers the flow of its metric
// (https://developers.klaviyo.com/en/reference/create_event).
//
//	POST {api}/api/events, JSON:API, with a private key that has the scope events:write
//
//	metric       "Recharge {flow}"
//	profile      the customer's e-mail and number, as far as they are known
//	unique_id    the id of the text
//	time         when the action happened
//	value        the charge's total with its currency, if it has one
//	properties   what a text can use
//
// Klaviyo records only the first event with a unique_id of the same profile and metric, so a call without an answer is made again.
//
// An event gives no consent. Klaviyo texts those who have subscribed there, in the hours that are set there. Neither says 202 that a text was
// sent, nor does Klaviyo report it.
//
// A refusal has {"errors":[{"id":"...","status":400,"code":"invalid","title":"...","detail":"...","source":{"pointer":"..."}}]}. refusal.go has
// what each code means.
//
//	klaviyo.go    Driver: creates an event, classifies the answer
//	event.go      the body of a request
//	refusal.go    what refusals mean
package klaviyo
