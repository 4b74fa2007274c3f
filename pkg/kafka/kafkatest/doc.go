// Package kafkatest provides Kafka brokers for tests, and reads their topics.
//
//	choose.go         Choose and Real, the best broker that this machine can run
//	broker.go         Broker, a running broker that can be killed, frozen and restarted; Embedded
//	cluster.go        Cluster of one or three brokers of Apache Kafka
//	cluster_state.go  queries to single brokers
//	node.go           the addresses and properties of a broker in a Cluster
//	leaders.go        MoveLeaders and Leader
//	proxy.go          Proxy, which injects network faults between clients and a broker
//	proxy_conn.go     one connection through a Proxy
//	secured.go        Secured, a broker with TLS and SASL
//	certificate.go    its certificates
//	rights.go         its ACLs, users, tokens and their rotation
//	jars.go           a broker from the jars of Apache Kafka
//	server.go         the process of such a broker
//	properties.go     its server.properties
//	address.go        free addresses
//	container.go      a broker in a container
//	image.go          Image, the image of such a container
//	topic.go          Topic, All, Consume, DeleteTopic, GrowTopic
//	read_all.go       ReadAll
//	java.go           runs Kafka's own programs
//	java_consume.go   JavaConsume, Kafka's console consumer
//	java_perf.go      JavaPerf, Kafka's ProducerPerformance
package kafkatest
