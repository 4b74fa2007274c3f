package kafkatest

import (
	"os"
	"strings"
	"testing"
)

const (
	addrVariable = "RECHARGEFLOW_TEST_KAFKA"
	jarsVariable = "RECHARGEFLOW_KAFKA_JARS"
)

// source is a possible source of a broker. start is nil if it is not available; reason says why it is, or is not.
type source struct {
	reason string
	start  func() Broker
}

// Choose starts the best available broker, the first of
//
//  1. the running broker at RECHARGEFLOW_TEST_KAFKA (host:port), if set
//  2. a container, by testcontainers, if a Docker engine has or can pull an image: see Image
//  3. Apache Kafka from its jars, in RECHARGEFLOW_KAFKA_JARS or the repository's .cache/kafka/jars, if there is java
//  4. the embedded broker
//
// and logs which it is, and why none before it. The test fails if a source that a variable selects does not work. The broker is
// stopped at the end of the test, except the first: that one may be shared with other tests, so names of topics and groups must
// be unique.
func Choose(t testing.TB) Broker {
	t.Helper()
	return choose(t, fromAddress, fromContainer, fromJars, fromEmbedded)
}

// Real is Choose without the embedded broker. Without Apache Kafka the test is skipped.
func Real(t testing.TB) Broker {
	t.Helper()
	return choose(t, fromAddress, fromContainer, fromJars)
}

// choose starts the first available source.
func choose(t testing.TB, sources ...func(testing.TB) source) Broker {
	t.Helper()
	var unavailable []string
	for _, find := range sources {
		s := find(t)
		if s.start == nil {
			unavailable = append(unavailable, s.reason)
			continue
		}
		b := s.start()
		t.Logf("broker: %s (%s)", s.reason, b.Addr())
		if len(unavailable) > 0 {
			t.Logf("others: %s", strings.Join(unavailable, "; "))
		}
		return b
	}
	t.Skipf("no Apache Kafka available: %s", strings.Join(unavailable, "; "))
	return Broker{}
}

func fromAddress(t testing.TB) source {
	addr := os.Getenv(addrVariable)
	if addr == "" {
		return source{reason: addrVariable + " (host:port of a broker) is not set"}
	}
	return source{reason: "from " + addrVariable, start: func() Broker { return Broker{t: t, addr: addr} }}
}

func fromEmbedded(t testing.TB) source {
	return source{reason: "embedded, since no Apache Kafka is available", start: func() Broker { return Embedded(t) }}
}
