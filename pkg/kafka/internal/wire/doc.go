// Package wire speaks Kafka's protocol over kafka-go's connections, pooled and authenticated by its Transport, where
// kafka-go's own messages fall short (https://kafka.apache.org/protocol):
//
//	exchange.go  a request and its answer as bytes
//	produce.go   Produce with batches of our own: several partitions at once, idempotent, transactional
//	fetch.go     Fetch with the answer's batches as they are, aborted transactions included
//	routed.go    kafka-go's own messages, sent to a broker of our choice: its Transport asks for the coordinator every time
//	layout.go    what the Transport knows of the cluster
//	reader.go    values off an answer
package wire
