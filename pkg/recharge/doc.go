// Package recharge verifies and decodes Recharge's webhooks in both API versions (2021-01 and 2021-11). Through its REST API it reads
// customers and subscriptions and registers webhooks. Recharge is a subscription service for Shopify shops.
//
//	signature.go           verifies a webhook's signature, in both schemes
//	delivery.go            the hash that identifies a delivery, the headers to store with it
//	inspect.go             what the gateway checks and finds in a body without decoding it
//	topics.go              all webhook topics
//	decode.go              decodes a body to a Webhook, in either version
//	wire_charge.go         charges: JSON of both versions to Charge
//	amount.go             sums and differences of amounts
//	charge_error.go       error types of charges: retried or not, fixable by the customer or not
//	currency.go           a currency where a body has none
//	wire_customer.go       customers
//	wire_order.go          orders
//	wire_subscription.go   subscriptions
//	wire_types.go          JSON values whose type differs between versions
//	unreadable.go          fields that can't be read: which of them decisions need
//	erased.go              customers whose personal data was erased
//	time.go                timestamps with and without an offset, days
//	client.go              the REST client: a customer, a customer's subscriptions
//	page.go                one page of a customer's subscriptions
//	list.go                one page of all that a store has
//	call.go                one call, its errors and what their bodies say
//	rate_limiter.go        shares a token's rate limit with other processes
//	registrations.go       the REST client: the token, registered webhooks
//	manage.go              how its calls are repeated, their errors
//	lookup.go              a lookup request and its answer
//	lookup_json.go         the answer as JSON
//
// In every value that this package returns, statuses are lower case, times are UTC, money is a decimal string and ids
// are strings of digits.
package recharge
