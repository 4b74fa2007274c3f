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

// with returns the properties with others added or replaced.
func (s properties) with(others properties) properties {
	all := maps.Clone(s)
	maps.Copy(all, others)
	return all
}

// file returns the content of server.properties.
func (s properties) file() []byte {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s=%s\n", key, s[key])
	}
	return b.Bytes()
}

// base returns the properties of every broker: it is a controller too, without auto-creation and rebalance delay.
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
		"log.cleaner.dedupe.buffer.size":       "16777216", // default 128 MB, too much for a small heap
	}
}

// replicas returns the properties for n replicas, of which all but one must acknowledge.
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
