package kafkatest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

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
	t.Setenv("RECHARGEFLOW_TEST_CONTAINERS", "none")
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
	assert.Contains(t, s.skipped, "RECHARGEFLOW_TEST_CONTAINERS asks for no containers")
	assert.Contains(t, s.skipped, "no Kafka jars in")
}

// Killed and started again, Apache Kafka has the records it had: in a container, and from its jars.
func TestRestart(t *testing.T) {
	t.Setenv("RECHARGEFLOW_TEST_KAFKA", "")
	t.Run("container", func(t *testing.T) {
		if image, why := kafkatest.Image(t); image == "" {
			t.Skip(why)
		}
		restart(t, "broker: a container of ")
	})
	t.Run("jars", func(t *testing.T) {
		t.Setenv("RECHARGEFLOW_TEST_CONTAINERS", "none")
		restart(t, "broker: Apache Kafka from the jars in ")
	})
}

func restart(t *testing.T, chosen string) {
	var b kafkatest.Broker
	s := watch(t, func(t testing.TB) { b = kafkatest.Real(t) })
	if s.skipped != "" {
		t.Skip(s.skipped)
	}
	assert.Contains(t, s.logged, chosen)
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

// An engine that holds no image and can pull none is passed over at once, with its reason; but what the environment asks
// for is not skipped.
func TestAnEngineThatCanPullNothing(t *testing.T) {
	nothingHere(t)
	engine := poorEngine(t)
	began := time.Now()
	skipped := elsewhere(t, "DOCKER_HOST="+engine, "RECHARGEFLOW_TEST_CONTAINERS=")
	assert.Contains(t, skipped, "--- SKIP: TestElsewhere")
	assert.Contains(t, skipped, "can't pull apache/kafka:4.3.0")
	assert.Contains(t, skipped, "no such host")
	failed := elsewhere(t, "DOCKER_HOST="+engine, "RECHARGEFLOW_TEST_CONTAINERS=rechargeflow-kafka:4.3.0")
	assert.Contains(t, failed, "--- FAIL: TestElsewhere")
	assert.Less(t, time.Since(began), 20*time.Second)
}

// poorEngine answers as a Docker engine without images and without a network.
func poorEngine(t *testing.T) string {
	t.Helper()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/images/json"):
			_, _ = io.WriteString(w, "[]")
		case strings.Contains(r.URL.Path, "/distribution/"):
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"message":"no such host"}`)
		case strings.Contains(r.URL.Path, "/images/"), strings.Contains(r.URL.Path, "/containers/"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"no such image"}`)
		default:
			_, _ = io.WriteString(w, "{}")
		}
	}))
	t.Cleanup(engine.Close)
	return "tcp://" + engine.Listener.Addr().String()
}

// TestElsewhere is for elsewhere, and nothing without it.
func TestElsewhere(t *testing.T) {
	if os.Getenv("RECHARGEFLOW_TEST_ELSEWHERE") != "" {
		kafkatest.Real(t)
	}
}

// elsewhere asks for a broker in a process of its own, since testcontainers looks for its engine once, and returns what
// that process says.
func elsewhere(t *testing.T, environ ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^TestElsewhere$") //nolint:gosec // this test
	command.Env = append(append(os.Environ(), "RECHARGEFLOW_TEST_ELSEWHERE=1"), environ...)
	output, _ := command.CombinedOutput() // its error is that the test failed
	return string(output)
}
