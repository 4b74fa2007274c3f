package kafkatest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// lookTimeout is how long one question to a broker may take.
const lookTimeout = 5 * time.Second

// ask connects to one broker and asks it, and no other.
func ask(ctx context.Context, addr string, question func(*kafkago.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	conn, err := kafkago.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("ask broker %s: %w", addr, err)
	}
	defer conn.Close() //nolint:errcheck // asked and answered
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("ask broker %s: %w", addr, err)
	}
	if err := question(conn); err != nil {
		return fmt.Errorf("ask broker %s: %w", addr, err)
	}
	return nil
}

// brokers returns the brokers that one of them sees at work.
func brokers(ctx context.Context, addr string) (seen []kafkago.Broker, err error) {
	err = ask(ctx, addr, func(conn *kafkago.Conn) error {
		seen, err = conn.Brokers()
		return err
	})
	return seen, err
}

// sees says why a broker does not know of so many brokers yet, all of them at work.
func sees(ctx context.Context, addr string, count int) error {
	seen, err := brokers(ctx, addr)
	if err == nil && len(seen) != count {
		err = fmt.Errorf("broker %s sees %d brokers, not %d", addr, len(seen), count)
	}
	return err
}

// partitions returns what a broker knows of the partitions of topics, or of all topics.
func partitions(ctx context.Context, addr string, topics ...string) (found []kafkago.Partition, err error) {
	err = ask(ctx, addr, func(conn *kafkago.Conn) error {
		found, err = conn.ReadPartitions(topics...)
		return err
	})
	return found, err
}

// knows says why a broker can't lead anybody to a topic's partitions yet.
func knows(ctx context.Context, addr, topic string, count int) error {
	all, err := partitions(ctx, addr, topic)
	if err != nil {
		return err
	}
	led := 0
	for _, p := range all {
		if isLed(p) {
			led++
		}
	}
	if led != count {
		return fmt.Errorf("broker %s sees leaders of %d of the %d partitions of %s", addr, led, count, topic)
	}
	return nil
}

// isLed tells whether a partition has a leader that the broker asked sees: without one kafka-go leaves it empty.
func isLed(p kafkago.Partition) bool { return p.Leader.Host != "" }

// allKnow asks knows of all brokers that one of them sees.
func allKnow(ctx context.Context, addr, topic string, count int) error {
	seen, err := brokers(ctx, addr)
	for _, b := range seen {
		if err == nil {
			err = knows(ctx, net.JoinHostPort(b.Host, strconv.Itoa(b.Port)), topic, count)
		}
	}
	return err
}

// inSync says which partition, of those that a broker should have, it does not have up to date.
func inSync(ctx context.Context, addr string, id int) error {
	all, err := partitions(ctx, addr)
	if err != nil {
		return err
	}
	for _, p := range all {
		if has(p.Replicas, id) && !has(p.Isr, id) {
			return fmt.Errorf("broker %d is not in sync in partition %d of %s", id, p.ID, p.Topic)
		}
	}
	return nil
}

func has(brokers []kafkago.Broker, id int) bool {
	for _, b := range brokers {
		if b.ID == id {
			return true
		}
	}
	return false
}

// coordinators makes the brokers choose one of each kind, for which they create the topics of offsets and transactions:
// while a broker is down they could not.
func coordinators(ctx context.Context, addrs ...string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
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

// clientAt is for what a Conn can't ask. It keeps what it knows until done.
func clientAt(addrs ...string) (client *kafkago.Client, done func()) {
	transport := &kafkago.Transport{DialTimeout: lookTimeout}
	return &kafkago.Client{Addr: kafkago.TCP(addrs...), Transport: transport, Timeout: lookTimeout}, transport.CloseIdleConnections
}
