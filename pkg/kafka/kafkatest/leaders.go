package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
)

// MoveLeaders gives each partition of a topic another leader and returns when every running broker knows it. The topic
// may be __consumer_offsets or __transaction_state: then coordinators move. A partition that only one broker has in sync
// stays where it is; at least one must move.
func (c Cluster) MoveLeaders(topic string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	before := make(map[int]int)
	c.await(ctx, func(ctx context.Context) error { return c.move(ctx, topic, before) })
	for id := range c.brokers {
		if !c.running(id + 1) {
			continue
		}
		c.await(ctx, func(ctx context.Context) error {
			now, err := partitions(ctx, c.nodes[id].client, topic)
			if err == nil && len(staying(now, before)) > 0 {
				err = fmt.Errorf("broker %d still sees the leaders of before", id+1)
			}
			return err
		})
	}
}

// Leader returns the broker that leads a partition.
func (c Cluster) Leader(topic string, partition int) Broker {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	leader := 0
	c.await(ctx, func(ctx context.Context) error {
		_, all, err := c.partitions(ctx, topic)
		at := slices.IndexFunc(all, func(p kafkago.Partition) bool { return p.ID == partition })
		if err == nil && (at < 0 || !isLed(all[at])) {
			err = fmt.Errorf("partition %d of %s has no leader", partition, topic)
		}
		if err == nil {
			leader = all[at].Leader.ID
		}
		return err
	})
	return c.Broker(leader)
}

// partitions asks the first broker that answers, and says which.
func (c Cluster) partitions(ctx context.Context, topic string) (addr string, all []kafkago.Partition, err error) {
	err = errors.New("no broker runs")
	for i, n := range c.nodes {
		if !c.running(i + 1) {
			continue
		}
		if all, err = partitions(ctx, n.client, topic); err == nil {
			return n.client, all, nil
		}
	}
	return "", nil, err
}

// move elects leaders and returns nil once no partition that has a choice is led as before. Its first call fills before.
func (c Cluster) move(ctx context.Context, topic string, before map[int]int) error {
	addr, all, err := c.partitions(ctx, topic)
	if err != nil {
		return err
	}
	if len(before) == 0 {
		for _, p := range all {
			if successor(p) != 0 {
				before[p.ID] = p.Leader.ID
			}
		}
	}
	if len(before) == 0 {
		return fmt.Errorf("no partition of %s has a second broker in sync", topic)
	}
	stay := staying(all, before)
	if len(stay) == 0 {
		return nil
	}
	if err := elect(ctx, addr, topic, stay); err != nil {
		return fmt.Errorf("elect leaders: %w", err)
	}
	return fmt.Errorf("%d partitions of %s wait for another leader", len(stay), topic)
}

// staying are the partitions that should have another leader and don't yet.
func staying(all []kafkago.Partition, before map[int]int) []kafkago.Partition {
	var stay []kafkago.Partition
	for _, p := range all {
		if leader, ok := before[p.ID]; ok && (p.Leader.ID == leader || !isLed(p)) {
			stay = append(stay, p)
		}
	}
	return stay
}

// successor is the next broker that could lead a partition, 0 when there is none.
func successor(p kafkago.Partition) int {
	at := slices.IndexFunc(p.Replicas, func(b kafkago.Broker) bool { return b.ID == p.Leader.ID })
	for i := range p.Replicas {
		next := p.Replicas[(at+1+i)%len(p.Replicas)]
		if next.ID != p.Leader.ID && has(p.Isr, next.ID) {
			return next.ID
		}
	}
	return 0
}

// elect puts the successor first among each partition's brokers, whereby Kafka prefers it, and asks for an election.
func elect(ctx context.Context, addr, topic string, stay []kafkago.Partition) error {
	client, done := clientAt(addr)
	defer done()
	order := &kafkago.AlterPartitionReassignmentsRequest{Topic: topic, Timeout: lookTimeout}
	ballot := &kafkago.ElectLeadersRequest{Topic: topic, Timeout: lookTimeout}
	for _, p := range stay {
		first := successor(p)
		if first == 0 {
			continue
		}
		brokers := []int{first}
		for _, b := range p.Replicas {
			if b.ID != first {
				brokers = append(brokers, b.ID)
			}
		}
		order.Assignments = append(order.Assignments, kafkago.AlterPartitionReassignmentsRequestAssignment{PartitionID: p.ID, BrokerIDs: brokers})
		ballot.Partitions = append(ballot.Partitions, p.ID)
	}
	ordered, err := client.AlterPartitionReassignments(ctx, order)
	if err != nil {
		return err
	}
	if ordered.Error != nil {
		return ordered.Error
	}
	_, err = client.ElectLeaders(ctx, ballot) // what came of it for each partition is seen in their leaders
	return err
}
