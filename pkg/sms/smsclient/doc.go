// Package smsclient makes the calls of the drivers: one request for each text, without a retry, and errors that hold neither the number nor
// the text nor a secret.
//
// Each text has its own connection: if the provider had just closed an idle one, the text would be unknown. Redirects are not followed. A
// request must have neither Idempotency-Key nor X-Idempotency-Key: with one of them Go's HTTP client repeats it on a broken connection
// (https://pkg.go.dev/net/http#Transport).
//
//	client.go      Client: a call and its answer
//	post.go        PostJSON: the request of a driver whose provider takes JSON
//	status.go      ClassOf: what a status means, unless the provider says otherwise
//	connection.go  a request without an answer
//	words.go       what an answer says, without what is private
package smsclient
