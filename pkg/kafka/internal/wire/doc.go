// Package wire sends requests of Kafka's protocol (https://kafka.apache.org/protocol) over the connections of kafka-go's
// Transport, where kafka-go's own requests fall short:
//
//	exchange.go   a request and its response as bytes
//	produce.go    Produce, with encoded batches: several partitions at once, idempotent, transactional
//	fetch.go      Fetch, with the response's batches undecoded and its aborted transactions
//	offsets.go    the ends of many partitions in one request
//	transaction.go  TransactionState, which kafka-go does not have
//	routed.go     kafka-go's requests, sent to a given broker: Transport looks up the coordinator each time
//	metadata.go   the cluster metadata of Transport
//	partition.go  Partition
//	reader.go     decodes values of a response
package wire
