// Package webhook is the driver for any SMS gateway: it posts each text as JSON to one address and signs it.
//
//	POST <url>
//	Content-Type: application/json
//	X-Rechargeflow-Timestamp: 1767225600
//	X-Rechargeflow-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>" with the shared secret>
//
//	{"id":"<send key>","to":"+14155550123","from":"+14155550100","body":"...","store":"acme","flow":"charge_failed"}
//
// An error quotes the body of the answer, without the number and the text.
//
// id stays the same for the same text: the gateway should drop an id that it has seen. from is left out when it is not
// configured. The status of the answer decides. A 2xx answer may have {"id":"..."}, the gateway's own id.
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
// A request has neither Idempotency-Key nor X-Idempotency-Key: with one of them Go's HTTP client repeats it on a broken
// connection (https://pkg.go.dev/net/http#Transport). Each text has its own connection: if the gateway had just closed an
// idle one, the text would be unknown. Redirects are not followed.
//
//	webhook.go     Driver: posts a text, classifies the answer
//	signature.go   signs a request, verifies it for receivers
//	failure.go     a request without an answer
package webhook
