// Package stage runs a role's handler on the records of its topics: it writes outputs and dead letters, counts and logs each
// record by its outcome, and recovers from panics. It does not depend on the role or on what its handler does.
//
//	outcome.go   Outcome, Result: what handling one record results in
//	handler.go   Handler, Transactor: what a stage runs
//	stage.go     Stage: a batch of records, handled at once or in one transaction with its offsets
//	recover.go   a handler that panics
//	outputs.go   outputs and dead letters, in the order of their records
//	count.go     counters and log lines, by outcome
//	spans.go     spans of the records of sampled traces
//	waiting.go   partitions that wait, and why
package stage
