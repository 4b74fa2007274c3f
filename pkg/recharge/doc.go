// Package recharge speaks to Recharge, the subscription service for Shopify
// shops: it verifies and decodes its webhooks in both API versions (2021-01 and
// 2021-11) and reads customers and subscriptions through its REST API.
//
//	signature.go     who sent this body: both signature schemes
//	delivery.go      which delivery this is, and what to keep of it
//	scan.go          the customer's id, found without decoding the body
//	topics.go        the topics that Recharge has
//	decode.go        body to Webhook, whatever the API version
//	wire_*.go        the two versions' spellings of one resource
//	tolerant.go      JSON values whose type wobbles between versions
//	time.go          timestamps with and without an offset
//	client.go        a customer, and a customer's subscriptions
//	page.go          one page of a list
//	call.go          one call: what its answer means, in errors
//	budget.go        the token's bucket, shared with other processes
//	lookup.go        Question and Lookup: what the API said, as a record
//	spell.go         how a lookup is written
//
// Statuses are lower case, times are UTC, money is a string of decimal digits
// and ids are strings of digits, in every value this package returns.
package recharge
