package kafkatest

import (
	"context"
	"fmt"
	"strings"
)

// node is one broker of a cluster and where it is found: by clients, by the other brokers, by the other controllers, and
// outside, at its proxy.
type node struct {
	id                                  int
	client, inside, controller, outside string
}

// planNodes finds addresses for brokers with the ids from 1 on.
func planNodes(count int) ([]node, error) {
	addrs, err := freeAddrs(4 * count)
	if err != nil {
		return nil, err
	}
	var nodes []node
	for i := range count {
		own := addrs[4*i:]
		nodes = append(nodes, node{id: i + 1, client: own[0], inside: own[1], controller: own[2], outside: own[3]})
	}
	return nodes, nil
}

// properties are the broker's among all; clients are told to find it at advertised.
func (n node) properties(all []node, advertised string) properties {
	return base(n.id, voters(all)).and(replicas(len(all))).and(properties{
		"listeners":                      fmt.Sprintf("CLIENT://%s,INSIDE://%s,CONTROLLER://%s", n.client, n.inside, n.controller),
		"advertised.listeners":           fmt.Sprintf("CLIENT://%s,INSIDE://%s", advertised, n.inside),
		"listener.security.protocol.map": "CLIENT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":     "INSIDE",
		"broker.session.timeout.ms":      "4000", // of 9000: how long a dead broker keeps its partitions
		"broker.heartbeat.interval.ms":   "500",
		"num.io.threads":                 "4", // of 8, for three on one machine
	})
}

// voters are the controllers that choose their leader.
func voters(all []node) string {
	var each []string
	for _, n := range all {
		each = append(each, fmt.Sprintf("%d@%s", n.id, n.controller))
	}
	return strings.Join(each, ",")
}

// inSync says why the broker does not have its part of every partition yet.
func (n node) inSync(ctx context.Context) error { return inSync(ctx, n.client, n.id) }
