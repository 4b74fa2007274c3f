package kafkatest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// properties are a broker's configuration, by Kafka's names.
type properties map[string]string

// and returns the properties with others added; where both have one, the others count.
func (s properties) and(others properties) properties {
	all := maps.Clone(s)
	maps.Copy(all, others)
	return all
}

// file is the content of server.properties.
func (s properties) file() []byte {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s=%s\n", key, s[key])
	}
	return b.Bytes()
}

// base is what every broker is told: it is a controller too, makes no topic unasked, and lets a group begin at once.
func base(node int, voters string) properties {
	return properties{
		"process.roles":                        "broker,controller",
		"node.id":                              strconv.Itoa(node),
		"controller.quorum.voters":             voters,
		"controller.listener.names":            "CONTROLLER",
		"auto.create.topics.enable":            "false",
		"group.initial.rebalance.delay.ms":     "0",
		"offsets.topic.num.partitions":         "3",
		"transaction.state.log.num.partitions": "3",
		"log.cleaner.dedupe.buffer.size":       "16777216", // of 128 MB, which a small heap has not
	}
}

// replicas is how many brokers keep each record, and how many must have it before it is acknowledged: all but one.
func replicas(n int) properties {
	needed := strconv.Itoa(max(1, n-1))
	return properties{
		"default.replication.factor":               strconv.Itoa(n),
		"offsets.topic.replication.factor":         strconv.Itoa(n),
		"transaction.state.log.replication.factor": strconv.Itoa(n),
		"transaction.state.log.min.isr":            needed,
		"min.insync.replicas":                      needed,
	}
}
