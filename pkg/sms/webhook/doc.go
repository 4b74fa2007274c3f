// Package webhook is the driver for any SMS gateway: it posts each text as JSON to one address and signs it.
//
//	POST <url>
//	Content-Type: application/json
//	X-Rechargeflow-Timestamp: 1767225600
//	X-Rechargeflow-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>" with the shared secret>
//
//	{"id":"<send key>","to":"+14155550123","from":"+14155550100","body":"...","store":"acme","flow":"charge_failed"}
//
// id is the same for the same text, always: the receiver should drop one that it has seen. from is left out when it is
// not configured. The answer's status decides; a 2xx answer may carry {"id":"..."}, the receiver's own id.
//
//	2xx                      accepted
//	429                      not sent, again after Retry-After
//	3xx, 401, 403, 404, 405  wrong address or credentials: sending stops
//	408, 5xx                 unknown: the text may have gone out, it is not sent again
//	other 4xx                rejected: never again
//
// Without an answer: not sent when no connection came about (name, dial, TLS), else unknown.
//
// A request carries neither Idempotency-Key nor X-Idempotency-Key: with one of them Go's HTTP client silently sends it
// again on a broken connection (https://pkg.go.dev/net/http#Transport). For the same reason each text has a connection of
// its own: one that the gateway has just closed for idleness would leave a text unknown. Redirects are not followed.
package webhook
