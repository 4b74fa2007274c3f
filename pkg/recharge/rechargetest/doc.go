// Package rechargetest simulates Recharge for tests, the demo and load: it answers the REST calls that the product makes, and
// delivers webhooks as Recharge does. Package test/histories generates the webhooks.
//
// It does what is documented or recorded; where the documentation is silent the text of an answer says "(simulator)". Each
// fault of the real API is a switch. The conformance tests list each behaviour with its source.
//
//	server.go      Server: the REST API
//	inprocess.go   the server without a port
//	switches.go    its faults, and the shapes of its errors
//	bucket.go      its rate limit
//	routes.go      which resource a request is for
//	records.go     resources that were put
//	list.go        lists, by page and filter
//	store.go       the store and its events
//	webhooks.go    registrations of webhooks
//	json.go        a webhook to deliver; JSON objects
//	outbox.go      Outbox: the retry rule
//	post.go        Post: one signed webhook
//	sign.go        signatures
//
// A sender that keeps the retry rule:
//
//	outbox := &rechargetest.Outbox{OnGiveUp: server.DropWebhooks}
//	outbox.Add(now, histories.Encoded(customer.Burst(histories.FirstCheckout, now))...)
//	for _, try := range outbox.Due(now) {
//		status, _ := rechargetest.Post(ctx, client, address, secret, now, try.Delivery)
//		outbox.Answered(try, status, now)
//	}
package rechargetest
