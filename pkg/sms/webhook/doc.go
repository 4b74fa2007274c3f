// Package webhook is the driver for any SMS gateway: it posts each text as JSON to one address and signs it. For a platform that keeps its own
// texts it posts a trigger: the flow and its values, without a text.
//
//	POST <url>
//	Content-Type: application/json
//	X-Rechargeflow-Timestamp: 1767225600
//	X-Rechargeflow-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>" with the shared secret>
//
//	{"id":"<send key>","to":"+14155550123","from":"+14155550100","body":"...","store":"acme","flow":"charge_failed","customer_id":"90001",
//	 "email":"...","cause":"...","items":["charge/501"]}
//
//	a trigger has no from and no body, perhaps no to, and: "consent":"opted_in","occurred_at":"...","variables":{"total":"$34.50"}
//
// An error quotes the body of the answer, without the number and the text.
//
// id is <send key>-<partition>-<customer>, or the send key alone for a text whose customer is not known. It stays the same for the same
// text: the gateway should drop an id that it has seen. A delivery report brings it back, and it says where the report belongs. from is
// left out when it is not configured. The status of the answer decides. A 2xx answer may have {"id":"..."}, the gateway's own id.
//
//	2xx                                                     accepted
//	429                                                     not sent: retry after Retry-After
//	3xx, 401, 402, 404, 405, 406, 407, 415, 426             configuration error: retry
//	403                                                     forbidden, the recipient or the account: retry
//	408, 5xx                                                unknown: perhaps sent, no retry
//	other 4xx                                               rejected: no retry
//	no connection (name, dial, TLS)                         not sent: retry
//	connection, but no answer                               unknown: perhaps sent, no retry
//
// pkg/sms/smsclient makes the calls.
//
// Callbacks are signed in the same way with the same secret. None of our requests is one, because it has no kind:
//
//	{"kind":"reply","store":"acme","id":"...","at":"2026-05-04T12:00:00Z","number":"+14155550123","text":"STOP"}
//	{"kind":"opt_out","store":"acme","id":"...","at":"...","number":"..."}                   or opt_in
//	{"kind":"delivery","store":"acme","id":"...","at":"...","message_id":"<id>","status":"delivered","code":"...","detail":"..."}
//
//	webhook.go     Driver: posts a text, classifies the answer
//	payload.go     the body of a request: a text or a trigger
//	receiver.go    Receiver: verifies and decodes a callback
//	signature.go   signs a request, verifies it for receivers
package webhook
