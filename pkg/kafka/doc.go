// Package kafka is a Kafka client: an idempotent producer, a consumer that calls a handler with committed records at least
// once, and transactions that commit outputs and offsets together, exactly once for readers of committed records. It uses
// kafka-go's connections and group membership, but not its Writer and Reader. Only pkg/kafka and its subpackages import kafka-go
// and franz-go.
//
//	cluster.go          Cluster, the addresses and credentials of a cluster, and Metrics
//	security.go         SASL, secrets and TLSFiles
//	record.go           Record, Header
//	partition_count.go  PartitionCount, the number of partitions that keys are divided among
//	compression.go      Compression
//	errors.go           errors
//
//	producer.go              Producer
//	producer_call.go         one call of Produce and its records
//	producer_partitioner.go  the partition of each record
//	producer_queue.go        the records of a partition and its batch in flight
//	producer_sender.go       produce requests to one broker
//	producer_id.go           producer ids
//
//	consumer.go                  Consumer, Run and RunTransactions
//	consumer_handler.go          Handler, which Run calls
//	consumer_retry_after.go      RetryAfter, a handler's error with a minimum backoff
//	consumer_handler_timeout.go  handlers that exceed their timeout
//	consumer_shared.go           Shared, consumers that share one membership and its fetches
//	consumer_membership.go       whether the process is still a member
//	consumer_group.go            joins and leaves the consumer group
//	consumer_group_conns.go      the connections of the group, to interrupt a join
//	consumer_assignor.go         assigns partitions to members
//	consumer_member_info.go      MemberInfo, what members show of their processes
//	consumer_generation.go       the time between two rebalances
//	consumer_worker.go           processes a partition number in a generation
//	consumer_processor.go        calls a Handler; txn_processor.go calls a Transform
//	consumer_partition.go        the state of a partition in its worker
//	consumer_fetcher.go          fetches ahead of the workers
//	consumer_fetch_buffer.go     the fetched records of a partition, for each consumer
//	consumer_fetch_replica.go    fetches from a replica in the client's rack
//	consumer_fetch_order.go      the order of partitions in fetch requests
//	consumer_offset_reset.go     OffsetReset, for offsets that do not exist any more
//	consumer_offset_tracker.go   which records are finished
//	consumer_offset_metadata.go  finished records above the committed offset, as its metadata
//	consumer_offsets.go          requests that fetch and commit offsets
//	consumer_commit.go           commits offsets of finished records
//
//	txn_transform.go  Transform and Transactions
//	txn_processor.go  processes a partition number in transactions, and resolves unknown outcomes
//	txn_manager.go    the requests of a transaction
//	txn_request.go    sends a request to a coordinator, and retries it
//	txn_produce.go    the produce requests of a transaction
//	txn_exclusive.go  Exclusive, transactions of one process at a time, outside of a consumer group
//	txn_hanging.go    what is left open of an earlier transaction is ended
//
//	scan.go          Scan and ReadRecord, which read without a consumer group
//	topic_reader.go  TopicReader, which reads ranges and single records
//	follower.go      Follower, which reads a whole topic and then what is written to it
//	fetch.go         fetches and decodes records
//
// Packages: admin manages topics and reads lags, embedded is a broker inside the process, kafkatest has brokers for tests,
// internal/conn connects and routes requests, internal/credentials reads passwords, tokens and certificates, internal/wire encodes requests that kafka-go can't make, internal/batch encodes
// and decodes record batches.
package kafka
