package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
)

// MoveLeaders moves the leader of each partition of a topic and returns when every running broker knows it. The topic may be
// __consumer_offsets or __transaction_state, which moves coordinators. A partition with one in-sync replica keeps its leader,
// but at least one must move.
func (c Cluster) MoveLeaders(topic string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	before := make(map[int]int)
	c.await(ctx, func(ctx context.Context) error { return c.moveOnce(ctx, topic, before) })
	for id := range c.brokers {
		if !c.running(id + 1) {
			continue
		}
		c.await(ctx, func(ctx context.Context) error {
			now, err := partitions(ctx, c.nodes[id].client, topic)
			if err == nil && len(unmoved(now, before)) > 0 {
				err = fmt.Errorf("broker %d still sees the old leaders", id+1)
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
		if err == nil && (at < 0 || !hasLeader(all[at])) {
			err = fmt.Errorf("partition %d of %s has no leader", partition, topic)
		}
		if err == nil {
			leader = all[at].Leader.ID
		}
		return err
	})
	return c.Broker(leader)
}

// partitions returns the partitions of a topic and the address of the broker that answered.
func (c Cluster) partitions(ctx context.Context, topic string) (addr string, all []kafkago.Partition, err error) {
	err = errors.New("no running broker")
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

// moveOnce elects leaders. It returns nil once every partition that can move has moved. The first call fills before.
func (c Cluster) moveOnce(ctx context.Context, topic string, before map[int]int) error {
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
		return fmt.Errorf("no partition of %s has a second in-sync replica", topic)
	}
	stay := unmoved(all, before)
	if len(stay) == 0 {
		return nil
	}
	if err := electLeaders(ctx, addr, topic, stay); err != nil {
		return fmt.Errorf("elect leaders: %w", err)
	}
	return fmt.Errorf("%d partitions of %s have not moved yet", len(stay), topic)
}

// unmoved returns the partitions that still have their old leader.
func unmoved(all []kafkago.Partition, before map[int]int) []kafkago.Partition {
	var stay []kafkago.Partition
	for _, p := range all {
		if leader, ok := before[p.ID]; ok && (p.Leader.ID == leader || !hasLeader(p)) {
			stay = append(stay, p)
		}
	}
	return stay
}

// successor returns the next broker that can lead a partition, 0 if there is none.
func successor(p kafkago.Partition) int {
	at := slices.IndexFunc(p.Replicas, func(b kafkago.Broker) bool { return b.ID == p.Leader.ID })
	for i := range p.Replicas {
		next := p.Replicas[(at+1+i)%len(p.Replicas)]
		if next.ID != p.Leader.ID && containsBroker(p.Isr, next.ID) {
			return next.ID
		}
	}
	return 0
}

// electLeaders makes the successor the preferred leader of each partition and starts an election.
func electLeaders(ctx context.Context, addr, topic string, stay []kafkago.Partition) error {
	client, done := clientAt(addr)
	defer done()
	order := &kafkago.AlterPartitionReassignmentsRequest{Topic: topic, Timeout: queryTimeout}
	ballot := &kafkago.ElectLeadersRequest{Topic: topic, Timeout: queryTimeout}
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
	_, err = client.ElectLeaders(ctx, ballot) // the caller checks the leaders
	return err
}
