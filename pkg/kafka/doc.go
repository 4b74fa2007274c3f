// Package kafka is Rechargeflow's door to Kafka: a producer that returns when every in-sync replica has the records, a
// consumer that hands a handler the records of one partition in order and commits what the handler has finished, the
// topics as files describe them, and a broker inside the process for trials and tests.
//
// Where to look:
//
//	record.go     Record, what is produced and read
//	cluster.go    Cluster, how to reach the brokers
//	security.go   SASL and TLSFiles, who we are to them; dial.go connects, session.go renews logins that end,
//	              explain.go says what to check
//	producer.go   Producer
//	consumer.go   Consumer and Run; generation.go, partition.go and committer.go are its three loops
//	fetch.go      one fetch request and its answer
//	read_all.go   ReadAll, for readers outside a group; scan.go: Scan and ReadRecord, which hold little in memory
//	lag.go        LagReader: how far groups are behind, in records and in time; lag_members.go: who has which partition
//	topics.go     the topics file; plan.go compares it with a cluster, apply.go makes it so
//	check.go      Check, whether brokers and topics are as they must be; versions.go is what brokers must take
//	embedded.go   Embedded, the broker inside the process
//
// It is the only package that imports kafka-go and franz-go. Delivery is at least once: a record may be stored or
// handled twice, never lost and never skipped.
package kafka
