// Package analytics checks that the topics answer what a data team asks: active subscribers, churn, recurring revenue, revenue to come,
// recovered payments, skips, refunds and revenue by product. A simulated shop knows the answers; another computation, which reads nothing but the
// values of the topics, must come to the same.
//
//	shop_test.go       the shop: what its customers do day by day, the webhooks of it, and the answers
//	bodies_test.go     the bodies of the webhooks
//	topics_test.go     the same answers from the values of the topics
//	pipeline_test.go   webhooks to values of topics
//	analytics_test.go  both answers are the same
//	backfill_test.go   and they still are after lost webhooks and a backfill, and after an import
//	api_test.go        what Recharge's API shows of the shop
package analytics
