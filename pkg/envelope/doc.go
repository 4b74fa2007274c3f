// Package envelope defines the headers of all records, which follow CloudEvents, and encodes values as records.
//
//	headers.go   the names of the headers, and the values of those that have a closed list
//	raw.go       CheckRaw: the key and the headers of a raw record
//	event.go     Event: the headers of a record that no raw record led to
//	output.go    Output: a value on its way to Kafka, with lineage to its raw record
//	arena.go     Arena: the memory of the records of one transaction
package envelope
