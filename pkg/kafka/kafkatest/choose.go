package kafkatest

import (
	"os"
	"strings"
	"testing"
)

const (
	addrVariable  = "RECHARGEFLOW_TEST_KAFKA"
	imageVariable = "RECHARGEFLOW_TEST_CONTAINERS"
	jarsVariable  = "RECHARGEFLOW_KAFKA_JARS"
)

// way is one way to come by a broker. Start is nil where it can't be had; why says why it can, or can't.
type way struct {
	why   string
	start func() Broker
}

// Choose starts the best broker that can be had, the first of
//
//  1. the one that runs at RECHARGEFLOW_TEST_KAFKA (host:port), where that is set
//  2. a container of the image that RECHARGEFLOW_TEST_CONTAINERS names, where that is set; the image may be pulled
//  3. Apache Kafka from its jars, in RECHARGEFLOW_KAFKA_JARS or the repository's .cache/kafka/jars, where java is there
//  4. the embedded broker
//
// and logs which it is and why. What a variable asks for must work: the test fails where it does not. The broker ends
// with the test, except the first.
func Choose(t testing.TB) Broker {
	t.Helper()
	return choose(t, byAddress, byImage, byJars, inProcess)
}

// Real is Choose without the embedded broker: Apache Kafka, or the test is skipped.
func Real(t testing.TB) Broker {
	t.Helper()
	return choose(t, byAddress, byImage, byJars)
}

// Container starts Apache Kafka in a container, of the image that RECHARGEFLOW_TEST_CONTAINERS names, else of
// rechargeflow-kafka (make kafka-image) or apache/kafka, whichever the engine already holds: nothing is pulled unasked.
// Without an engine or an image the test is skipped.
func Container(t testing.TB) Broker {
	t.Helper()
	return choose(t, byImage, byImageHere)
}

// choose starts the first way that can be had.
func choose(t testing.TB, ways ...func(testing.TB) way) Broker {
	t.Helper()
	var why []string
	for _, find := range ways {
		w := find(t)
		if w.start != nil {
			b := w.start()
			t.Logf("broker: %s (%s)", w.why, b.Addr())
			return b
		}
		why = append(why, w.why)
	}
	t.Skipf("no Apache Kafka here: %s", strings.Join(why, "; "))
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
