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

// spy is a testing.TB that records logs and skips.
type spy struct {
	testing.TB
	logged, skipped string
}

func (s *spy) Logf(format string, args ...any) { s.logged += fmt.Sprintf(format, args...) + "\n" }

func (s *spy) Skipf(format string, args ...any) {
	s.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// watch calls f with a spy and returns the spy.
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

// hideKafka hides every Apache Kafka of this machine.
func hideKafka(t *testing.T) {
	t.Helper()
	t.Setenv("RECHARGEFLOW_TEST_KAFKA", "")
	t.Setenv("RECHARGEFLOW_TEST_CONTAINERS", "none")
	t.Setenv("RECHARGEFLOW_KAFKA_JARS", t.TempDir())
}

func TestChooseRunningBroker(t *testing.T) {
	hideKafka(t)
	t.Setenv("RECHARGEFLOW_TEST_KAFKA", "kafka.example:9092")
	t.Setenv("RECHARGEFLOW_TEST_CONTAINERS", "apache/kafka:4.3.0")
	for _, choose := range []func(testing.TB) kafkatest.Broker{kafkatest.Choose, kafkatest.Real} {
		s := watch(t, func(t testing.TB) { assert.Equal(t, "kafka.example:9092", choose(t).Addr()) })
		assert.Equal(t, "broker: from RECHARGEFLOW_TEST_KAFKA (kafka.example:9092)\n", s.logged)
	}
	s := watch(t, func(t testing.TB) { kafkatest.Choose(t).Kill() })
	assert.Equal(t, "the broker at kafka.example:9092 is not controlled by the test", s.skipped)
}

func TestChooseEmbeddedBroker(t *testing.T) {
	hideKafka(t)
	s := watch(t, func(t testing.TB) {
		b := kafkatest.Choose(t)
		assert.Empty(t, kafkatest.All(t, b.Addr(), kafkatest.Topic(t, b.Addr(), 1)))
	})
	assert.Contains(t, s.logged, "broker: embedded, since no Apache Kafka is available (127.0.0.1:")
	assert.Empty(t, s.skipped)
}

func TestRealSkipsWithoutApacheKafka(t *testing.T) {
	hideKafka(t)
	s := watch(t, func(t testing.TB) { kafkatest.Real(t) })
	assert.Contains(t, s.skipped, "RECHARGEFLOW_TEST_KAFKA (host:port of a broker) is not set")
	assert.Contains(t, s.skipped, "RECHARGEFLOW_TEST_CONTAINERS disables containers")
	assert.Contains(t, s.skipped, "no Kafka jars in")
}

// TestRestart: Apache Kafka keeps its records when it is killed and restarted, in a container and from its jars.
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

// TestChooseWithoutImage: an engine that has no image and can't pull one is skipped with the reason, but the test fails if a
// variable selects the image.
func TestChooseWithoutImage(t *testing.T) {
	hideKafka(t)
	engine := engineWithoutImages(t)
	began := time.Now()
	skipped := chooseInChild(t, "DOCKER_HOST="+engine, "RECHARGEFLOW_TEST_CONTAINERS=")
	assert.Contains(t, skipped, "--- SKIP: TestChooseInChild")
	assert.Contains(t, skipped, "pull apache/kafka:4.3.0")
	assert.Contains(t, skipped, "no such host")
	failed := chooseInChild(t, "DOCKER_HOST="+engine, "RECHARGEFLOW_TEST_CONTAINERS=rechargeflow-kafka:4.3.0")
	assert.Contains(t, failed, "--- FAIL: TestChooseInChild")
	assert.Less(t, time.Since(began), 20*time.Second)
}

// engineWithoutImages is a Docker engine without images and without a network.
func engineWithoutImages(t *testing.T) string {
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

// TestChooseInChild is run by chooseInChild.
func TestChooseInChild(t *testing.T) {
	if os.Getenv("RECHARGEFLOW_TEST_CHILD") != "" {
		kafkatest.Real(t)
	}
}

// chooseInChild calls Choose in a child process, because testcontainers looks for its engine once, and returns the output.
func chooseInChild(t *testing.T, environ ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^TestChooseInChild$") //nolint:gosec // this test
	command.Env = append(append(os.Environ(), "RECHARGEFLOW_TEST_CHILD=1"), environ...)
	output, _ := command.CombinedOutput() // the error is the failed test
	return string(output)
}
