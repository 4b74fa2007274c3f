// Package klaviyo is the driver for Klaviyo's events (https://developers.klaviyo.com/en/reference/create_event): it sends triggers. A flow of Klaviyo,
// which has the texts, starts with the metric "Recharge {flow}".
//
//	POST {api}/api/events, JSON:API, with a private API key and the revision of the API
//
//	unique_id    the id of the text: of the events of a profile and metric with the same one the first is recorded
//	time         when the action happened
//	properties   the variables of a text, and resources, consent and cause
//	profile      e-mail and number of the customer
//
// So a call without an answer is made again. A 202 says that the event is valid, not that a text is sent: Klaviyo knows who may be texted and
// when. It calls nobody back.
//
// A refusal has {"errors":[{"code":"invalid","title":"...","detail":"...","source":{"pointer":"/data/..."}}]}.
//
//	klaviyo.go   Driver: sends a trigger, classifies the answer
//	event.go     the body of a request
package klaviyo
