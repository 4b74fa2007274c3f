// Package kafka is Rechargeflow's door to Kafka, on top of kafka-go and without its Writer and Reader: a producer that
// writes each record once and returns when every in-sync replica has it, a consumer that hands a handler the committed
// records of one partition in order, transactions in which outputs and offset become visible together, the topics as
// files describe them, and a broker inside the process for trials and tests.
//
// Where to look:
//
//	record.go       Record, what is produced and read
//	cluster.go      Cluster, how to reach the brokers; layout.go is what is known of them, coordinator.go who coordinates
//	security.go     SASL and TLSFiles, who we are to them; dial.go connects, session.go renews logins that end,
//	                explain.go says what to check
//
//	producer.go     Producer: call.go is one use of it, outbox.go what is on its way to one partition, lane.go the requests
//	                to one broker; place.go finds partitions, identity.go the producer id
//
//	consumer.go     Consumer, Run and RunTransactions; handler.go is what Run calls
//	group.go        joining and leaving the group; sticky.go shares the partitions out
//	generation.go   the time between two rebalances; one worker.go for each partition number in it
//	prefetch.go     fetching ahead, into a feed.go for each partition, in turns.go; source.go hands it on, lost.go is for what is gone
//	tracker.go      what is finished, out of order too; commits.go commits it, metadata.go what is above the offset
//	watch.go        handlers that do not come back
//
//	transact.go     Transactions: handle, write, commit, and find out what became of it
//	transaction.go  the requests of one transaction; transaction_produce.go writes its outputs
//
//	topic_reader.go TopicReader: parts of a topic's partitions, for who keeps a copy of them
//	scan.go         Scan and ReadRecord, for readers outside a group; read_all.go: ReadAll, which holds all in memory
//	lag.go          LagReader: how far groups are behind, in records and in time; lag_members.go: who has which partition
//	topics.go       the topics file; plan.go compares it with a cluster, apply.go makes it so
//	check.go        Check, whether brokers and topics are as they must be; versions.go is what brokers must take
//	embedded.go     Embedded, the broker inside the process; embedded_listen.go: where it listens
//
//	internal/wire   requests that kafka-go can't make; internal/batch: record batches
//
// It is the only package that imports kafka-go and franz-go. The producer writes a record once, however often it was sent.
// Run is at least once: after a crash what was finished in the last few milliseconds may be handled again. RunTransactions
// is exactly once, as seen by readers of committed records.
package kafka
