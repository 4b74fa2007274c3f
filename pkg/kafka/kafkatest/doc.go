// Package kafkatest gives tests a broker and a look into its topics.
//
//	choose.go     Choose, Real       the broker that this machine can give, and why that one
//	broker.go     Broker, Embedded   a running broker, ended and started again
//	jars.go                          Apache Kafka as a process, from its jars
//	server.go                        that process
//	container.go                     Apache Kafka in a container, by testcontainers
//	image.go      Image              of what such a container is made
//	topic.go      Topic, All         topics and what is in them
package kafkatest
