package faults_test

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestRoundsEmbedded has no faults of the broker itself, which runs in this process.
func TestRoundsEmbedded(t *testing.T) {
	parallelInSample(t)
	w := newSystem(t, nil)
	w.rounds(pick(t, "ROUNDS", 1, 10), processFaults(), networkFaults())
}

// TestRoundsAllInOne kills one process with all roles and the embedded broker with SIGKILL. Records of the open transaction may then be
// stored twice, with the same IDs (docs/adr/0003-embedded-mode.md). It does so once each: a transaction that is open at the first
// restart of kfake counts as committed at the second, because kfake writes no marker in between.
func TestRoundsAllInOne(t *testing.T) {
	parallelInSample(t)
	for range pick(t, "ROUNDS", 1, 10) {
		w := newIdleSystem(t)
		w.cluster = kafka.Cluster{Brokers: []string{w.lab.Embedded}}
		w.gateway = w.launch(everything)
		require.NoError(t, w.gateway.AwaitReady(t.Context()))
		w.load.start()
		w.wait(between(w.Rand, 500*time.Millisecond, 4*time.Second), nil)
		w.gateway.Kill()
		w.gateway = w.launch(everything)
		require.NoError(t, w.gateway.AwaitReady(t.Context()))
		w.wait(between(w.Rand, 500*time.Millisecond, 2*time.Second), nil)
		a, again := w.checkWithRepeated()
		w.requireAlive()
		w.checkBloomreach(a)
		w.logf("killed once, %d records, 0 lost, 0 duplicated, 0 out of order; of %d outputs %d are stored twice", len(a.raw), a.written, again)
		w.gateway.Kill()
	}
}

// TestRoundsOneBroker freezes the only broker, whose session lasts: see TestBrokerAloneKilled.
func TestRoundsOneBroker(t *testing.T) {
	parallelInSample(t)
	brokers := kafkatest.One(t, kafkatest.WithProxies())
	w := newSystem(t, &brokers)
	w.rounds(pick(t, "ROUNDS", 2, 24), processFaults(), brokerFaults(false))
	w.compareWithJava()
}

// TestBrokerAloneKilled kills the only broker with SIGKILL, or freezes it until its session has ended. Its partitions have no leader
// then, so it may forget the end marker of a transaction, which the next owner writes (docs/adr/0002-exactly-once.md).
func TestBrokerAloneKilled(t *testing.T) {
	skipInSample(t)
	brokers := kafkatest.One(t, kafkatest.WithProxies(), kafkatest.WithSession(brokerSession))
	w := newSystem(t, &brokers)
	w.start(2)
	rounds := pick(t, "ROUNDS", 0, 12)
	var a *audit
	for range rounds {
		w.load.start()
		w.inject(map[string]int{}, [][]fault{{killBroker(), freezeBroker(brokerSession + time.Second)}})
		a = w.check()
		w.requireAlive()
	}
	w.checkBloomreach(a)
	w.logf("%d times killed or frozen, %d records, 0 lost, 0 duplicated, 0 twice at the destination", rounds, len(a.raw))
}

func TestRoundsThreeBrokers(t *testing.T) {
	parallelInSample(t)
	brokers := kafkatest.Three(t, kafkatest.WithProxies())
	w := newSystem(t, &brokers)
	w.rounds(pick(t, "ROUNDS", 1, 24), processFaults(), brokerFaults(true))
	if whole() {
		w.compareWithJava()
	}
}

// rounds injects a fault of each list under load, then audits.
func (w *system) rounds(count int, lists ...[]fault) {
	w.Helper()
	w.start(2)
	var last *audit
	faults := map[string]int{}
	for round := range count {
		w.logf("round %d of %d", round+1, count)
		w.load.start()
		w.inject(faults, lists)
		last = w.check()
		w.requireAlive()
	}
	w.checkBloomreach(last)
	again, all := w.bloomreach.repeated()
	w.logf("%d rounds, %d records, 0 lost, 0 duplicated, 0 out of order; %d of %d commands sent more than once", count, len(last.raw), again, all)
	w.logf("faults: %v", faults)
}

// inject starts a fault of each list, and ends them in the same order.
func (w *system) inject(count map[string]int, lists [][]fault) {
	w.Helper()
	type open struct {
		undo  func()
		until time.Time
	}
	var begun []open
	w.wait(between(w.Rand, 200*time.Millisecond, 2*time.Second), nil)
	for _, list := range lists {
		f := w.chosen(list)
		count[f.name]++
		began := time.Now()
		undo := f.begin(w)
		begun = append(begun, open{undo: undo, until: began.Add(f.least)})
		w.wait(between(w.Rand, 100*time.Millisecond, 3*time.Second), nil)
	}
	for _, f := range begun {
		w.wait(time.Until(f.until), nil)
		f.undo()
	}
	w.wait(between(w.Rand, 200*time.Millisecond, 2*time.Second), nil)
}

// compareWithJava reads the committed records with Kafka's own consumer, which must see the same records as ours.
func (w *system) compareWithJava() {
	w.Helper()
	ours := w.newAudit(w.scan)
	java := w.newAudit(func(topic string) iter.Seq2[kafka.Record, error] {
		if !whole() && topic != w.topics.Events() { // a topic takes ten seconds
			return w.scan(topic)
		}
		return each(kafkatest.JavaConsume(w.T, w.cluster, topic, true))
	})
	for _, finding := range java.findings {
		w.Log(finding)
	}
	w.requireClean(java)
	require.Len(w, java.raw, len(ours.raw))
	w.logf("Kafka's own consumer agrees on %d records", len(java.raw))
}

func each(records []kafka.Record) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}
