package faults_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestTextsBrokerKilled kills the only broker with SIGKILL while texts are claimed in transactions, again and again. Each text is sent once,
// or is unknown.
func TestTextsBrokerKilled(t *testing.T) {
	skipInSample(t)
	brokers := kafkatest.One(t, kafkatest.WithProxies(), kafkatest.WithSession(brokerSession))
	w := newSystem(t, &brokers)
	w.textPayments()
	require.NoError(t, w.lab.ActivateFlows(t.Context()))
	w.sms = w.launch("sms")
	w.start(1)
	w.load.start()
	kills := pick(t, "KILLS", 0, 20)
	for range kills {
		w.wait(between(w.Rand, 500*time.Millisecond, 3*time.Second), nil)
		restart := killBroker().begin(w)
		w.wait(between(w.Rand, 0, 2*time.Second), nil)
		restart()
		w.awaitTexts(20)
	}
	w.settleTexts()
	w.logf("broker killed %d times", kills)
}

// TestTextsAllInOne kills one process with all roles and the embedded broker with SIGKILL, again and again. The broker may forget the end of a
// transaction then, or find it committed later (docs/adr/0003-embedded-mode.md). Each text is sent once, or is unknown.
func TestTextsAllInOne(t *testing.T) {
	parallelInSample(t)
	w := newIdleSystem(t)
	w.cluster = kafka.Cluster{Brokers: []string{w.lab.Embedded}}
	w.textPayments()
	w.lab.LogLevel = "info"
	w.gateway = w.launch(everything)
	require.NoError(t, w.gateway.AwaitReady(t.Context()))
	require.NoError(t, w.lab.ActivateFlows(t.Context()))
	require.Eventually(t, func() bool { return strings.Contains(w.gateway.Output(), `"active_flows":["charge_paid"]`) }, 10*time.Second, 10*time.Millisecond)
	w.load.start()
	kills := pick(t, "KILLS", 2, 50)
	for range kills {
		w.wait(between(w.Rand, 200*time.Millisecond, 3*time.Second), nil)
		w.gateway.Kill()
		w.gateway = w.launch(everything)
		require.NoError(t, w.gateway.AwaitReady(t.Context()))
		w.awaitTexts(1)
	}
	w.settleTexts()
	w.logf("killed %d times", kills)
}

// textPayments makes the load trigger a text for each payment.
func (w *system) textPayments() {
	w.lab.Flows = []string{"charge_paid"}
	w.load.paidAt = time.Now() // older triggers are stale
	w.load.rate.SetLimit(150)  // one text at a time
}

// awaitTexts waits until so many more texts were sent.
func (w *system) awaitTexts(more int) {
	w.Helper()
	before := len(w.lab.Texts.Texts())
	require.Eventually(w, func() bool { return len(w.lab.Texts.Texts()) >= before+more }, 2*time.Minute, 50*time.Millisecond, "no text is sent any more")
}

// settleTexts ends the load and checks the texts.
func (w *system) settleTexts() {
	w.Helper()
	require.NoError(w, w.load.rest())
	w.settle()
	w.checkTexts(w.newAudit(w.scan))
	w.requireAlive()
}
