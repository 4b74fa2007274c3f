package kafkatest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// node is a broker of a Cluster with its addresses: for clients, for the other brokers, for the controllers, and of its proxy.
type node struct {
	id                                  int
	client, internal, controller, proxy string
}

// planNodes allocates addresses for brokers with ids from 1 on.
func planNodes(count int) ([]node, error) {
	addrs, err := freeAddrs(4 * count)
	if err != nil {
		return nil, err
	}
	var nodes []node
	for i := range count {
		own := addrs[4*i:]
		nodes = append(nodes, node{id: i + 1, client: own[0], internal: own[1], controller: own[2], proxy: own[3]})
	}
	return nodes, nil
}

// properties returns the properties of a broker that advertises an address to clients and loses its partitions after a silent
// session.
func (n node) properties(all []node, advertised string, session time.Duration) properties {
	return base(n.id, voters(all)).with(replicas(len(all))).with(properties{
		"listeners":                      fmt.Sprintf("CLIENT://%s,INSIDE://%s,CONTROLLER://%s", n.client, n.internal, n.controller),
		"advertised.listeners":           fmt.Sprintf("CLIENT://%s,INSIDE://%s", advertised, n.internal),
		"listener.security.protocol.map": "CLIENT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":     "INSIDE",
		"broker.session.timeout.ms":      strconv.FormatInt(session.Milliseconds(), 10),
		"broker.heartbeat.interval.ms":   "500",
		"broker.rack":                    fmt.Sprint("rack-", n.id),
		"replica.selector.class":         "org.apache.kafka.common.replica.RackAwareReplicaSelector",
		"num.io.threads":                 "4", // default 8; three brokers share a machine
	})
}

// voters returns controller.quorum.voters.
func voters(all []node) string {
	var each []string
	for _, n := range all {
		each = append(each, fmt.Sprintf("%d@%s", n.id, n.controller))
	}
	return strings.Join(each, ",")
}

// checkInSync returns an error while a replica of the broker is not in sync.
func (n node) checkInSync(ctx context.Context) error { return checkInSync(ctx, n.client, n.id) }
