package kafkatest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// queryTimeout limits one query to a broker.
const queryTimeout = 5 * time.Second

// query connects to one broker and queries only that broker.
func query(ctx context.Context, addr string, send func(*kafkago.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := kafkago.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("query broker %s: %w", addr, err)
	}
	defer conn.Close() //nolint:errcheck // the response has been read
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("query broker %s: %w", addr, err)
	}
	if err := send(conn); err != nil {
		return fmt.Errorf("query broker %s: %w", addr, err)
	}
	return nil
}

// brokers returns the live brokers, as a broker sees them.
func brokers(ctx context.Context, addr string) (seen []kafkago.Broker, err error) {
	err = query(ctx, addr, func(conn *kafkago.Conn) error {
		seen, err = conn.Brokers()
		return err
	})
	return seen, err
}

// checkBrokers returns an error until a broker sees count live brokers.
func checkBrokers(ctx context.Context, addr string, count int) error {
	seen, err := brokers(ctx, addr)
	if err == nil && len(seen) != count {
		err = fmt.Errorf("broker %s sees %d brokers, not %d", addr, len(seen), count)
	}
	return err
}

// partitions returns the partitions of topics, or of all topics, as a broker sees them.
func partitions(ctx context.Context, addr string, topics ...string) (found []kafkago.Partition, err error) {
	err = query(ctx, addr, func(conn *kafkago.Conn) error {
		found, err = conn.ReadPartitions(topics...)
		return err
	})
	return found, err
}

// checkLeaders returns an error until a broker knows a leader for each partition of a topic.
func checkLeaders(ctx context.Context, addr, topic string, count int) error {
	all, err := partitions(ctx, addr, topic)
	if err != nil {
		return err
	}
	led := 0
	for _, p := range all {
		if hasLeader(p) {
			led++
		}
	}
	if led != count {
		return fmt.Errorf("broker %s knows leaders of %d of the %d partitions of %s", addr, led, count, topic)
	}
	return nil
}

// hasLeader reports whether a partition has a leader; kafka-go leaves it empty otherwise.
func hasLeader(p kafkago.Partition) bool { return p.Leader.Host != "" }

// checkLeadersEverywhere is checkLeaders for all live brokers.
func checkLeadersEverywhere(ctx context.Context, addr, topic string, count int) error {
	seen, err := brokers(ctx, addr)
	for _, b := range seen {
		if err == nil {
			err = checkLeaders(ctx, net.JoinHostPort(b.Host, strconv.Itoa(b.Port)), topic, count)
		}
	}
	return err
}

// checkInSync returns an error while a replica of a broker is not in sync.
func checkInSync(ctx context.Context, addr string, id int) error {
	all, err := partitions(ctx, addr)
	if err != nil {
		return err
	}
	for _, p := range all {
		if containsBroker(p.Replicas, id) && !containsBroker(p.Isr, id) {
			return fmt.Errorf("broker %d is not in sync in partition %d of %s", id, p.ID, p.Topic)
		}
	}
	return nil
}

func containsBroker(brokers []kafkago.Broker, id int) bool {
	for _, b := range brokers {
		if b.ID == id {
			return true
		}
	}
	return false
}

// createCoordinators makes the brokers create the topics of offsets and transactions, which they can't do while a broker is
// down.
func createCoordinators(ctx context.Context, addrs ...string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	client, done := clientAt(addrs...)
	defer done()
	for _, kind := range []kafkago.CoordinatorKeyType{kafkago.CoordinatorKeyTypeConsumer, kafkago.CoordinatorKeyTypeTransaction} {
		answer, err := client.FindCoordinator(ctx, &kafkago.FindCoordinatorRequest{Key: "kafkatest", KeyType: kind})
		if err != nil {
			return fmt.Errorf("find coordinator: %w", err)
		}
		if answer.Error != nil {
			return fmt.Errorf("find coordinator: %w", answer.Error)
		}
	}
	return nil
}

// clientAt returns a client for requests that a Conn does not have. done closes its connections.
func clientAt(addrs ...string) (client *kafkago.Client, done func()) {
	transport := &kafkago.Transport{DialTimeout: queryTimeout}
	return &kafkago.Client{Addr: kafkago.TCP(addrs...), Transport: transport, Timeout: queryTimeout}, transport.CloseIdleConnections
}
