// Package histories generates the webhooks that Recharge sends for the customers of a shop, and the responses of its API:
// each customer history is a function of a seed and a number. The demo has a script of its own; load, faults and benchmarks
// take their customers from here. Package expected computes the expected result of a history.
//
//	shop.go          a shop's histories: their kinds, plans and arrival
//	customer.go      a customer: ids, names, registered topics
//	account.go       a customer's data at Recharge, and the bursts of webhooks that change it
//	recorded.go      actions whose bursts were recorded
//	assumed.go       other actions
//	delivery.go      one webhook: the resources in its body
//	body.go         bodies, in both API versions
//	body_2021_01.go, body_2021_11.go  their spellings
//	disorder.go      disorder and duplicates
//	answers.go       the responses of the API
//	shown.go         what the API shows of an account after each action
//	run.go           histories at their recorded times, many at once
package histories
