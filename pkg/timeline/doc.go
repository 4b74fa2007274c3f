// Package timeline shows what happened to one customer: it reads the customer's records from all topics and joins them.
//
//	timeline.go  Timeline and its entries
//	reader.go    Source: reads the records of a customer, one partition of each topic
//	more.go      what else it reads: dead letters of webhooks that name no customer, parked records, committed offsets
//	ranges.go    reads ranges of partitions at the same time
//	resolve.go   finds the customers who have an e-mail
//	assemble.go  Assemble: records in, Timeline out; pure
//	webhooks.go  raw records and their outcomes
//	unseen.go    the likely reason of a webhook without outputs
//	outputs.go   events, facts, triggers and rows, and where they went
//	letters.go   dead letters, and whether they were sent again
//	texts.go     texts and their changes
//	line.go      Line: one record, whatever its topic
//	tail.go      Tail: records as they come
//	mask.go      personal data in what is shown
//
// No topic records that a destination accepted an event, or that a webhook was skipped. An event counts as sent if the group of the sink has
// committed an offset above it and there is no dead letter of it. The reason why a webhook has no output is derived, and marked as likely, unless the
// record is parked.
package timeline
