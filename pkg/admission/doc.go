// Package admission decides whether the gateway accepts a webhook. Nothing is known about who sends a request until its signature is
// verified, so checks that need no body come first.
//
//	admission.go       Admission: the checks, in their order
//	address.go         the registered address: store, topic and token
//	signatures.go      which signatures a store accepts
//	record.go          the raw record of a webhook that is accepted
//	topic_warning.go   warns of a webhook whose topic is probably wrong
//	retopic.go         the raw record of a webhook that came under a wrong topic, under another
//	refusal.go         Refusal: the response to a request that is refused
package admission
