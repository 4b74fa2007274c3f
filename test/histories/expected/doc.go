// Package expected computes the expected result of a customer history, and compares it with the actual one: every event once, in
// order, and no other; dead letters; rows of the tables; the property of each profile. It follows the documentation (the rules of
// facts, of late arrivals and of the property in docs/adr/0012-memory.md, the table in docs/webhooks.md, the schemas), works on
// the resources in webhooks, not on their bodies, and shares no code with the product.
//
//	state.go     the state of a customer after each webhook
//	history.go   the expected events of a history, in order
//	event.go     one event, as it is compared
//	charges.go   charges, and the facts that are not events
//	rows.go      the final rows of the tables
//	checker.go   collects the actual result, and compares the events
//	compare.go   compares tables, property and dead letters, too
package expected
