// Package rechargetest stands in for Recharge in tests, in the demo and under load: it answers the REST calls that the
// product makes, and it makes the webhooks that a subscriber's life brings.
//
// What is documented or recorded, it does; where the documentation is silent the text of an answer says "(simulator)".
// What goes wrong in real life is a switch. conformance_test.go lists each behaviour with its source.
//
//	server.go            Server: the REST API; inprocess.go reaches it without a port
//	switches.go          how it misbehaves, and the shapes of its errors
//	bucket.go, routes.go, records.go, list.go, store.go, webhooks.go   one request, in this order
//	life.go              Life: a subscriber, with all ids; After
//	burst.go, kinds.go   Life.Burst: what arrives when something happens to them
//	model.go, spelling*.go   the bodies, in both API versions
//	disorder.go          Disorder and Duplicates
//	outbox.go, post.go   Outbox: the retry rule; Post: one signed webhook
//
// A sender that keeps the retry rule:
//
//	outbox := &rechargetest.Outbox{OnGiveUp: server.DropWebhooks}
//	outbox.Add(now, rechargetest.Disorder(seed, time.Second, life.Burst(rechargetest.FirstCheckout, now))...)
//	for _, try := range outbox.Due(now) {
//		status, _ := rechargetest.Post(ctx, client, address, secret, now, try.Delivery)
//		outbox.Answered(try, status, now)
//	}
package rechargetest
