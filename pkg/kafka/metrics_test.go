package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// counted is a kafka.Metrics that counts in a map.
type counted struct {
	mutex        sync.Mutex
	count        map[string]int
	bytes        map[string]int
	slowest      time.Duration
	certificates map[string]time.Time
}

func newCounted() *counted {
	return &counted{count: map[string]int{}, bytes: map[string]int{}, certificates: map[string]time.Time{}}
}

func (c *counted) KafkaOperation(operation, outcome string, took time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count[operation+" "+outcome]++
	c.slowest = max(c.slowest, took)
}

func (c *counted) KafkaTransfer(operation, topic string, records, bytes int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count[operation+" to "+topic] += records
	c.bytes[operation+" to "+topic] += bytes
}

func (c *counted) KafkaCertificate(broker string, expires time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.certificates[broker] = expires
}

func (c *counted) of(what string) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.count[what]
}

// TestProduceAndFetchAreMeasured: each request by its outcome, each topic by its records.
func TestProduceAndFetchAreMeasured(t *testing.T) {
	fake, cluster, lossy := faultyAndLossy(t)
	c := newCounted()
	cluster.Metrics = c
	produce(t, cluster, numbered("t", 0, 3)...)
	produce(t, cluster, append(numbered("t", 0, 2), numbered("t", 1, 5)...)...)
	assert.Equal(t, 3, c.of("produce ok"), "one more for the second partition")
	assert.Equal(t, 10, c.of("produce to t"))
	assert.Greater(t, c.bytes["produce to t"], 3*61)

	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 1})
	produce(t, cluster, numbered("t", 0, 1)...)
	assert.Equal(t, 1, c.of("produce error"), "the broker refused once")
	assert.Equal(t, 11, c.of("produce to t"))
	lossy.lose(kmsg.Produce, 1)
	produce(t, cluster, numbered("t", 0, 1)...)
	assert.Equal(t, 1, c.of("produce no_answer"))

	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: 1})
	consumeAll(t, cluster, quick("g", "t"), 12)
	assert.Equal(t, 12, c.of("fetch to t"))
	assert.Positive(t, c.of("fetch ok"))
	assert.Positive(t, c.of("fetch error"))
	assert.Positive(t, c.slowest)
	assert.Less(t, c.slowest, patience)
}

// TestTransactionsAreMeasured: each by its outcome, with the time until that is known.
func TestTransactionsAreMeasured(t *testing.T) {
	fake, cluster := faulty(t)
	out := newTopic(t, cluster, 2)
	c := newCounted()
	cluster.Metrics = c
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.InvalidCommitOffsetSize, Count: 1})
	runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
	produce(t, cluster, numbered("t", 0, 3)...)
	require.Eventually(t, func() bool { return c.of("transaction committed") == 1 }, patience, 10*time.Millisecond)
	assert.Equal(t, 1, c.of("transaction aborted"))
	assert.Zero(t, c.of("transaction unknown"))
	assert.Equal(t, 3+2*3, c.of("produce to t")+c.of("produce to "+out), "those of the aborted transaction too")
}

// TestCertificatesOfBrokersAreReported: the first to expire in the chain, by the broker's host.
func TestCertificatesOfBrokersAreReported(t *testing.T) {
	site := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(site.Close)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"), kfake.TLS(&tls.Config{Certificates: site.TLS.Certificates}))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	c := newCounted()
	authorities := x509.NewCertPool()
	authorities.AddCert(site.Certificate())
	produce(t, kafka.Cluster{
		Brokers: fake.ListenAddrs(), Metrics: c, TLS: func() (*tls.Config, error) {
			return &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}, nil
		},
	}, numbered("t", 0, 1)...)
	assert.Equal(t, map[string]time.Time{"127.0.0.1": site.Certificate().NotAfter}, c.certificates, fmt.Sprint(fake.ListenAddrs()))
}
