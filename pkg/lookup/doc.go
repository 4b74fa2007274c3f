// Package lookup reads data from Recharge's API that webhooks do not contain. A Queue holds the lookup requests. Its workers
// call the API and publish each response as a record. Only parked records wait for it, other records do not.
//
//	queue := lookup.New(lookup.Config{Clients: clients, Publish: produce, ...})
//	go queue.Run(ctx)
//	queue.Add(partition, requests...) // after a transaction is committed, and all that are pending on takeover
//	queue.Remove(partition)           // when the partition is another process's
//
// Where to look:
//
//	queue.go     Queue, its settings and methods
//	store.go     the requests of one store
//	due.go       which request is next, and when
//	customer.go  the requests of one customer
//	heap.go      customers in the order of their next request's time
//	record.go    an answer as a raw record
//	worker.go    one API call: its answer, or another attempt later
//
// Per store a few calls run at a time, for one customer one. A customer's object is looked up first.
// Of the requests that are due, kind customer goes first, since records are parked for it, then cancellation, then
// subscriptions; among equals the one that is due longest. A call that fails is repeated after one second, then two, up to a
// minute, without end. While the calls of a store fail, one at a time is tried.
package lookup
