// Package klaviyotest simulates Klaviyo's events API. It refuses what Klaviyo refuses, drops what Klaviyo drops, and can be set to behave in
// other ways.
//
//	klaviyotest.go   Klaviyo: the endpoint, its checks and its answers
//	event.go         an event, and what is wrong with it
//	refusals.go      answers that Klaviyo gives for other reasons
package klaviyotest
