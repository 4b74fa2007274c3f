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

// way is one way to come by a broker. Start is nil where it can't be had; why says why it can, or can't.
type way struct {
	why   string
	start func() Broker
}

// Choose starts the best broker that can be had, the first of
//
//  1. the one that runs at RECHARGEFLOW_TEST_KAFKA (host:port), where that is set
//  2. a container, by testcontainers, where a Docker engine answers and has, or can pull, an image: see Image
//  3. Apache Kafka from its jars, in RECHARGEFLOW_KAFKA_JARS or the repository's .cache/kafka/jars, where java is there
//  4. the embedded broker
//
// and logs which it is, and why none before it. What a variable asks for must work: the test fails where it does not. The
// broker ends with the test, except the first. That one may have served other tests before: names of topics and groups
// must be a test's own.
func Choose(t testing.TB) Broker {
	t.Helper()
	return choose(t, byAddress, byContainer, byJars, inProcess)
}

// Real is Choose without the embedded broker: Apache Kafka, or the test is skipped.
func Real(t testing.TB) Broker {
	t.Helper()
	return choose(t, byAddress, byContainer, byJars)
}

// choose starts the first way that can be had.
func choose(t testing.TB, ways ...func(testing.TB) way) Broker {
	t.Helper()
	var not []string
	for _, find := range ways {
		w := find(t)
		if w.start == nil {
			not = append(not, w.why)
			continue
		}
		b := w.start()
		t.Logf("broker: %s (%s)", w.why, b.Addr())
		if len(not) > 0 {
			t.Logf("rather than another: %s", strings.Join(not, "; "))
		}
		return b
	}
	t.Skipf("no Apache Kafka here: %s", strings.Join(not, "; "))
	return Broker{}
}

func byAddress(t testing.TB) way {
	addr := os.Getenv(addrVariable)
	if addr == "" {
		return way{why: addrVariable + " (host:port of a broker) is not set"}
	}
	return way{why: "the one that " + addrVariable + " names", start: func() Broker { return Broker{t: t, addr: addr} }}
}

func inProcess(t testing.TB) way {
	return way{why: "embedded, since there is no Apache Kafka here", start: func() Broker { return Embedded(t) }}
}
