// Package kafkatest gives tests a broker and a look into its topics: Embedded is the broker inside the process, Real is
// Apache Kafka itself, run from its jars.
package kafkatest
