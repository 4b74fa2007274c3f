// Package twilio is the driver for Twilio's Messages resource
// (https://www.twilio.com/docs/messaging/api/message-resource).
//
//	POST {api}/2010-04-01/Accounts/{account sid}/Messages.json, as a form, with HTTP Basic authentication
//
//	To, Body                      the number and the text
//	From or MessagingServiceSid   the sender, or both: a sender of that service
//	StatusCallback                the address of the store's callbacks with ?text={id}, so that a report says which text it is about
//	ValidityPeriod                how long the text may wait at Twilio
//
// Twilio drops no second text: the resource has no idempotency key (https://github.com/twilio/twilio-oai, twilio_api_v2010.json). So a call
// without an answer is unknown. It becomes known by a look-up right after it, or by a status callback, which proves that Twilio has the text.
//
// A refusal has {"code":21610,"message":"...","more_info":"...","status":400}. codes.go has the class of each code.
//
// Callbacks are forms, signed with the account's auth token: replies, and changes of a text's status.
//
//	twilio.go      Driver: sends a text, classifies the answer
//	codes.go       what the codes of refusals mean
//	find.go        looks up a text
//	receiver.go    Receiver: verifies and decodes a callback
//	signature.go   signs a callback
package twilio
