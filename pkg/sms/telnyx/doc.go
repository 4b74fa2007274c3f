// Package telnyx is the driver for Telnyx's messages, API version 2 (https://developers.telnyx.com/api-reference/messages).
//
//	POST {api}/v2/messages, JSON, with a bearer key
//
//	to, text, type                the number and the text, as an SMS
//	from or messaging_profile_id  the sender, or the profile that chooses one; or both
//	webhook_url                   the address of the store's callbacks with ?text={id}. A report has it, so it says which text it is about
//
// Telnyx drops no second text: its Idempotency-Key is for endpoints whose reference declares it, and that of messages does not
// (https://developers.telnyx.com/docs/development/api-fundamentals/idempotency.md). It can't be asked for a text whose id is not known, either. So
// a call without an answer is unknown until a report proves that Telnyx has the text.
//
// A refusal has {"errors":[{"code":"40300","title":"...","detail":"..."}]}. codes.go has the class of each code.
//
// Callbacks are JSON, signed with the account's private key together with a time.
//
//	telnyx.go      Driver: sends a text, classifies the answer
//	codes.go       what the codes of refusals mean
//	receiver.go    Receiver: verifies and decodes a callback
//	signature.go   verifies a signature
package telnyx
