// Package outputs names what is written to Kafka: topic, schema, key and time of a decision's outputs, of a message and of a receipt.
//
//	outputs.go   what others read
//	internal.go  raw records that the transformer writes for itself: owners, moves and deletions
package outputs
