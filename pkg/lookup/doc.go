// Package lookup asks Recharge's API what its webhooks leave out, apart from the
// stream of records: nothing waits for an answer but what needs it. Each answer is
// handed on to become a record of its own, and only then is the ask done.
//
//	asker := lookup.New(lookup.Config{Readers: clients, Keep: produce, ...})
//	go asker.Run(ctx)
//	asker.Want(partition, asks...)   // when a transaction is committed, and all that still are wanted on takeover
//	asker.Forget(partition)          // when the partition is another process's
//
// Where to look:
//
//	asker.go    Asker, its settings, and what is asked of it
//	store.go    one store's asks
//	next.go     which one is next, and when
//	customer.go one customer's asks; heap.go orders customers by time
//	work.go     one ask: the call, its answer, again later
//
// Per store a few calls are under way at a time, for one customer one at a time.
// A customer's identity is asked before anything else of theirs. What is due goes by
// what hangs on it: identities, which hold a customer's events back, then
// cancellations, then flags; among equals the longest due. An ask that fails comes
// again after a pause of one second, then two, to a minute, without end; while a
// store's calls fail one at a time is tried.
package lookup
