package kafkatest_test

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

const keyProduce = 0

// produceOnce produces one record in the background.
func produceOnce(t *testing.T, c interface{ Cluster() kafka.Cluster }, topic, value string) (result chan error) {
	t.Helper()
	result = make(chan error, 1)
	producer := kafka.NewProducer(c.Cluster(), kafka.ProducerConfig{})
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err := producer.Produce(ctx, kafka.Record{Topic: topic, Value: []byte(value)})
		_ = producer.Close()
		result <- err
	}()
	return result
}

func TestProxyOfEmbeddedBroker(t *testing.T) {
	b := kafkatest.Embedded(t, kafkatest.WithProxies())
	proxy, topic := b.Proxy(), kafkatest.Topic(t, b.Addr(), 1)
	require.Equal(t, proxy.Addr(), b.Addr())
	proxy.Hold(keyProduce)
	result := produceOnce(t, b, topic, "held")
	require.Eventually(t, func() bool { return proxy.Held() == 1 }, 10*time.Second, 5*time.Millisecond)
	assert.Len(t, kafkatest.All(t, b.Addr(), topic), 1, "the producer does not know")
	proxy.Cut()
	proxy.Release()
	require.NoError(t, <-result)
	assert.Len(t, kafkatest.All(t, b.Addr(), topic), 1)
	proxy.Refuse()
	_, err := net.Dial("tcp", b.Addr())
	require.ErrorContains(t, err, "refused")
}

// TestProxies uses one cluster for all cases.
func TestProxies(t *testing.T) {
	c := three(t, kafkatest.WithProxies())
	all := func(do func(*kafkatest.Proxy)) {
		for id := 1; id <= 3; id++ {
			do(c.Broker(id).Proxy())
		}
	}
	held := func() int {
		n := 0
		all(func(p *kafkatest.Proxy) { n += p.Held() })
		return n
	}

	t.Run("clients connect through proxies only", func(t *testing.T) {
		topic := c.Topic(1)
		all(func(p *kafkatest.Proxy) { assert.Contains(t, c.Brokers(), p.Addr()) })
		assert.Contains(t, c.Brokers(), c.Leader(topic, 0).Addr())
		send(t, c, topic, "through")
		assert.Len(t, kafkatest.All(t, c.Broker(1).Addr(), topic), 1)
	})
	t.Run("a held response leaves the outcome unknown", func(t *testing.T) {
		topic := c.Topic(1)
		all(func(p *kafkatest.Proxy) { p.Hold(keyProduce) })
		result := produceOnce(t, c, topic, "held")
		require.Eventually(t, func() bool { return held() == 1 }, 10*time.Second, 5*time.Millisecond)
		assert.Len(t, kafkatest.All(t, c.Broker(1).Addr(), topic), 1, "reading is not held, and the record is there")
		assert.Empty(t, result, "but the producer does not know")
		all((*kafkatest.Proxy).Release)
		require.NoError(t, <-result)
		assert.Zero(t, held())
		assert.Len(t, kafkatest.All(t, c.Broker(1).Addr(), topic), 1)
	})
	t.Run("a cut connection loses the response", func(t *testing.T) {
		topic := c.Topic(1)
		all(func(p *kafkatest.Proxy) { p.Hold() })
		conn, err := net.Dial("tcp", c.Broker(1).Addr())
		require.NoError(t, err)
		defer conn.Close()                                                                         //nolint:errcheck // closed already
		_, err = conn.Write([]byte("\x00\x00\x00\x0d\x00\x12\x00\x00\x00\x00\x00\x07\x00\x03abc")) // ApiVersions v0
		require.NoError(t, err)
		require.Eventually(t, func() bool { return held() == 1 }, 10*time.Second, 5*time.Millisecond)
		all((*kafkatest.Proxy).Release)
		first := make([]byte, 8)
		_, err = conn.Read(first)
		require.NoError(t, err)
		assert.Equal(t, byte(7), first[7], "the correlation id")
		all((*kafkatest.Proxy).Cut)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		for err == nil {
			_, err = conn.Read(make([]byte, 4096))
		}
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "cut, not silent")
		send(t, c, topic, "again")
	})
	t.Run("refused connections", func(t *testing.T) {
		topic := c.Topic(1)
		proxy := c.Leader(topic, 0).Proxy()
		proxy.Refuse()
		_, err := net.Dial("tcp", proxy.Addr())
		require.ErrorContains(t, err, "refused")
		result := produceOnce(t, c, topic, "patient")
		proxy.Accept()
		require.NoError(t, <-result)
	})
}
