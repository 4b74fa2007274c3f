// Package kafkatest gives tests a broker, or three, and a look into their topics.
//
//	choose.go        Choose, Real       the broker that this machine can give, and why that one
//	broker.go        Broker, Embedded   a running broker, ended, frozen and started again
//	three.go         Three, One         three brokers, any one of which may fail; node.go is one of them
//	leaders.go       MoveLeaders        another leader for each partition
//	proxy.go         Proxy              what stands before a broker and lets its clients down; passage.go is one connection
//	secured.go       StartSecured       one broker that asks who comes, at each port in another way; certificate.go
//	jars.go                             Apache Kafka as a process, from its jars
//	server.go                           that process; properties.go and address.go are what it is told
//	container.go                        Apache Kafka in a container, by testcontainers
//	image.go         Image              of what such a container is made
//	topic.go         Topic, All         topics and what is in them; DeleteTopic
//	look.go                             what brokers say of each other
//	java_consume.go  JavaConsume        a topic as Kafka's own consumer reads it
//	java_perf.go     JavaPerf           Kafka's own producer, measured; java.go runs both
package kafkatest
