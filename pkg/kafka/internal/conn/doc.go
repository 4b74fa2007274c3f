// Package conn connects to a Kafka cluster and sends requests to the right broker. pkg/kafka and pkg/kafka/admin share it:
//
//	cluster.go           Cluster, the addresses and credentials of a cluster
//	sasl.go              SASL, the credentials
//	sasl_oauthbearer.go  the mechanism OAUTHBEARER
//	pool.go              Pool, the connections to the brokers of a cluster
//	dial.go              Dialer, which connects, encrypts and authenticates
//	session.go           renews the authentication of a connection before it expires
//	explain.go           turns failures of TLS and SASL into errors that name the setting to check
//	rights.go            Right, and DeniedError for a missing one
//	access.go            which rights the brokers grant
//	metadata.go          the cluster's metadata: brokers, topics, partitions, leaders
//	coordinator.go       requests to the coordinator of a group or a transactional id
//	requests.go          requests to a broker that the caller chooses
//	metrics.go           Metrics, which counts and times requests
//	offsets.go           OffsetRange, the first and last offsets of partitions
//	unended.go           the partitions with a transaction that has not ended
//	topic.go             partitions and settings of a topic
//	plain.go             errors of kafka-go's client without the names of Go methods
//	retry.go             Retry, which repeats a request while its error is transient
//	backoff.go           Backoff, the wait between two attempts
//	errors.go            errors, and which of them are transient
package conn
