package kafkatest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func three(t *testing.T, options ...kafkatest.Option) kafkatest.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts three brokers; run without -short")
	}
	started := time.Now()
	c := kafkatest.Three(t, options...)
	t.Logf("three brokers after %s", time.Since(started).Round(time.Millisecond))
	return c
}

// patience is longer than brokers wait for a response of a frozen controller before they try another: 30 s
// (https://kafka.apache.org/documentation/#brokerconfigs_controller.socket.timeout.ms).
const patience = time.Minute

// send produces one record, with retries.
func send(t *testing.T, c kafkatest.Cluster, topic, value string) {
	t.Helper()
	producer := kafka.NewProducer(c.Cluster(), kafka.ProducerConfig{})
	defer producer.Close() //nolint:errcheck // the record was acknowledged
	require.Eventually(t, func() bool {
		return producer.Produce(t.Context(), kafka.Record{Topic: topic, Key: []byte(value), Value: []byte(value)}) == nil
	}, patience, 10*time.Millisecond)
}

func values(records []kafka.Record) map[string]bool {
	all := make(map[string]bool)
	for _, r := range records {
		all[string(r.Value)] = true
	}
	return all
}

// TestThree kills and restarts one broker after the other and moves every leader; all records are kept. With two brokers down
// nothing is acknowledged.
func TestThree(t *testing.T) {
	c := three(t)
	topic := c.Topic(3)
	for id := 1; id <= 3; id++ {
		c.Broker(id).Kill()
		send(t, c, topic, fmt.Sprint("without ", id))
		started := time.Now()
		c.Broker(id).Restart()
		t.Logf("broker %d back after %s", id, time.Since(started).Round(time.Millisecond))
	}
	leaders := []string{c.Leader(topic, 0).Addr(), c.Leader(topic, 1).Addr(), c.Leader(topic, 2).Addr()}
	started := time.Now()
	c.MoveLeaders(topic)
	t.Logf("leaders moved after %s", time.Since(started).Round(time.Millisecond))
	for partition, before := range leaders {
		assert.NotEqual(t, before, c.Leader(topic, partition).Addr())
	}
	c.MoveLeaders("__consumer_offsets")
	c.MoveLeaders("__transaction_state")
	send(t, c, topic, "moved")
	assert.Equal(t, map[string]bool{"without 1": true, "without 2": true, "without 3": true, "moved": true},
		values(kafkatest.All(t, c.Broker(1).Addr(), topic)))

	c.Broker(1).Kill()
	c.Broker(2).Kill()
	producer := kafka.NewProducer(c.Cluster(), kafka.ProducerConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	require.Error(t, producer.Produce(ctx, kafka.Record{Topic: topic, Value: []byte("one broker of three")}))
	require.NoError(t, producer.Close())
}

// TestFrozenBroker: a frozen broker loses its partitions to others and rejoins when it is thawed.
func TestFrozenBroker(t *testing.T) {
	c := three(t)
	topic := c.Topic(1)
	send(t, c, topic, "before")
	leader := c.Leader(topic, 0)
	leader.Freeze()
	send(t, c, topic, "meanwhile")
	assert.NotEqual(t, leader.Addr(), c.Leader(topic, 0).Addr())
	leader.Thaw()
	require.Eventually(t, func() bool {
		records, err := kafkatest.ReadAll(t.Context(), leader.Cluster(), topic)
		return err == nil && len(records) >= 2
	}, 20*time.Second, 50*time.Millisecond)
}
