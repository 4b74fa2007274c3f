package kafkatest_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// spy is a test that remembers what it is told.
type spy struct {
	testing.TB
	logged, skipped string
}

func (s *spy) Logf(format string, args ...any) { s.logged += fmt.Sprintf(format, args...) + "\n" }

func (s *spy) Skipf(format string, args ...any) {
	s.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// watch lets f use a test, and returns what it told that test.
func watch(t *testing.T, f func(t testing.TB)) *spy {
	t.Helper()
	s, done := &spy{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	<-done
	return s
}

// nothingHere hides every Apache Kafka of this machine.
func nothingHere(t *testing.T) {
	t.Helper()
	t.Setenv("RECHARGEFLOW_TEST_KAFKA", "")
	t.Setenv("RECHARGEFLOW_TEST_CONTAINERS", "")
	t.Setenv("RECHARGEFLOW_KAFKA_JARS", t.TempDir())
}

func TestARunningBrokerComesFirst(t *testing.T) {
	nothingHere(t)
	t.Setenv("RECHARGEFLOW_TEST_KAFKA", "kafka.example:9092")
	t.Setenv("RECHARGEFLOW_TEST_CONTAINERS", "apache/kafka:4.3.0")
	for _, choose := range []func(testing.TB) kafkatest.Broker{kafkatest.Choose, kafkatest.Real} {
		s := watch(t, func(t testing.TB) { assert.Equal(t, "kafka.example:9092", choose(t).Addr()) })
		assert.Equal(t, "broker: the one that RECHARGEFLOW_TEST_KAFKA names (kafka.example:9092)\n", s.logged)
	}
	s := watch(t, func(t testing.TB) { kafkatest.Choose(t).Kill() })
	assert.Equal(t, "the broker at kafka.example:9092 is not the test's to stop", s.skipped)
}

func TestTheEmbeddedBrokerComesLast(t *testing.T) {
	nothingHere(t)
	s := watch(t, func(t testing.TB) {
		b := kafkatest.Choose(t)
		assert.Empty(t, kafkatest.All(t, b.Addr(), kafkatest.Topic(t, b.Addr(), 1)))
	})
	assert.Contains(t, s.logged, "broker: embedded, since there is no Apache Kafka here (127.0.0.1:")
	assert.Empty(t, s.skipped)
}

func TestWithoutApacheKafkaATestIsSkipped(t *testing.T) {
	nothingHere(t)
	s := watch(t, func(t testing.TB) { kafkatest.Real(t) })
	assert.Contains(t, s.skipped, "RECHARGEFLOW_TEST_KAFKA (host:port of a broker) is not set")
	assert.Contains(t, s.skipped, "RECHARGEFLOW_TEST_CONTAINERS (an image of Apache Kafka) is not set")
}

// Killed and started again, a broker in a container has the records it had.
func TestContainer(t *testing.T) {
	b := kafkatest.Container(t)
	topic := kafkatest.Topic(t, b.Addr(), 1)
	producer := kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{})
	require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: topic, Value: []byte("kept")}))
	require.NoError(t, producer.Close())
	b.Kill()
	b.Restart()
	records := kafkatest.All(t, b.Addr(), topic)
	require.Len(t, records, 1)
	assert.Equal(t, "kept", string(records[0].Value))
}
