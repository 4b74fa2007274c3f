// Package membership computes the members of segments from recharge.messages and recharge.customers, and keeps a customer property per segment
// up to date in Bloomreach.
//
// Members are customers who have a row in recharge.customers with an e-mail, a name or a phone number. Who was deleted has no row, and who was erased
// has neither: they are members of no segment.
//
//	source.go    Source: reads customers and their texts, one partition at a time
//	count.go     Count and Members
//	pages.go     Members behind a position
//	row.go       Row of recharge.segment-members: what was sent to Bloomreach
//	diff.go      the difference between that and the members; pure
//	push.go      Push: sends the difference
//	destination.go  Destination: what has the profiles
//	batch.go     one request, and what is written after its answer
package membership
