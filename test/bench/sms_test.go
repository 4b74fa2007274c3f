//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	flows "github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// benchSMS measures the sms role: how soon a text is sent, how many a second, and the state of a million.
func benchSMS(t *testing.T, r *report, targets []target) {
	t.Helper()
	var latencies, rates, states [][]string
	for _, on := range targets {
		for _, rate := range []int{100, 1000} {
			latencies = append(latencies, smsLatency(t, on, rate))
		}
		for _, latency := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond} {
			rates = append(rates, smsRate(t, on, latency))
		}
	}
	states = append(states, smsState(t, targets[0]))
	r.table("SMS: a trigger in Kafka to the request to the provider",
		fmt.Sprintf("%s at a fixed rate, after %s to warm up, of a flow without a window; 200 texts at once. A text is claimed in a transaction before.", measured, warmUp),
		[]string{"broker", "triggers/s", "texts", "p50", "p99"}, latencies)
	r.table("SMS: a backlog of triggers to texts accepted by a provider", "100 texts at once, each by a connection of its own.",
		[]string{"broker", "provider answers after", "planned and sent/s", "limit: 100 at once / latency", "CPU each"}, rates)
	r.table(fmt.Sprintf("SMS: state of %s texts that were accepted, restored by one process", thousands(smsTexts)), "A text is kept for 35 days after its end.",
		[]string{"restore", "CPU", "memory restored", "directory", "bytes a text"}, states)
}

// smsLatency sends triggers at a rate, and measures from the append of each until its text arrives.
func smsLatency(t *testing.T, on target, rate int) []string {
	t.Helper()
	p := newSMSProvider(0)
	defer p.Close()
	l, producer := smsLab(t, on, p, 200)
	_, stop := start(t, l, "sms")
	warm, total := rate*int(warmUp.Seconds()), rate*int(measured.Seconds())
	smsFlow(t, producer, topology.Topics{Prefix: l.Prefix}, rate, 0, warm)
	require.Eventually(t, func() bool { return p.count() >= warm }, time.Minute, 50*time.Millisecond)
	produced := smsFlow(t, producer, topology.Topics{Prefix: l.Prefix}, rate, warm, warm+total)
	assert.Eventually(t, func() bool { return p.count() >= warm+total }, time.Minute, 50*time.Millisecond)
	stop()
	var each []time.Duration
	for id, at := range produced {
		if end, found := p.arrived[id]; found {
			each = append(each, end.Sub(at))
		}
	}
	return []string{
		on.name, thousands(rate), fmt.Sprintf("%s of %s", thousands(len(each)), thousands(total)), millis(percentile(each, 50)), millis(percentile(each, 99)),
	}
}

// smsFlow produces triggers at a rate, and returns when each was given to the producer.
func smsFlow(t *testing.T, producer *kafka.Producer, topics topology.Topics, rate, from, to int) (produced map[string]time.Time) {
	t.Helper()
	produced = map[string]time.Time{}
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for number := from; number < to; number++ {
		<-tick.C
		record := triggerRecord(t, topics, number)
		produced[strconv.Itoa(number+1)] = time.Now()
		all.Go(func() { assert.NoError(t, producer.Produce(t.Context(), record)) })
	}
	all.Wait()
	return produced
}

// smsRate has a backlog of triggers planned and sent, and counts what the provider got a second.
func smsRate(t *testing.T, on target, latency time.Duration) []string {
	t.Helper()
	const atOnce = 100
	texts, limit := 20_000, "-"
	if latency > 0 {
		most := atOnce / latency.Seconds()
		texts, limit = int(10*most), thousands(int(most))
	}
	p := newSMSProvider(latency)
	defer p.Close()
	l, producer := smsLab(t, on, p, atOnce)
	fillTriggers := func() {
		var records []kafka.Record
		for number := range texts {
			if records = append(records, triggerRecord(t, topology.Topics{Prefix: l.Prefix}, number)); len(records) == 1000 {
				require.NoError(t, producer.Produce(t.Context(), records...))
				records = records[:0]
			}
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
	if len(on.brokers) > 0 { // before the process starts
		fillTriggers()
	}
	processes, stop := start(t, l, "sms")
	if len(on.brokers) == 0 {
		fillTriggers()
	}
	require.Eventually(t, func() bool { return p.count() >= texts }, 3*time.Minute, 10*time.Millisecond)
	cpu := cpuOf(processes[0].PID())
	stop()
	return []string{on.name, latency.String(), perSecond(texts, p.last.Sub(p.first)), limit, fmt.Sprintf("%.0f µs", cpu.Seconds()*1e6/float64(texts))}
}

const smsTexts = 1_000_000

// smsState restores the state of a million texts, written as the role writes it.
func smsState(t *testing.T, on target) []string {
	t.Helper()
	cluster := clusterOf(t, on)
	topic := lab.RandomPrefix("bench") + "sms-state"
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{
		Name: topic, Partitions: statePartitions, Replication: 1, Configs: map[string]string{"cleanup.policy": "compact", "segment.bytes": "67108864"},
	}}})
	require.NoError(t, err)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	bytes := 0
	var records []kafka.Record
	for number := range smsTexts {
		for key, value := range acceptedText(t, number) {
			bytes += len(key) + len(value)
			records = append(records, kafka.Record{Topic: topic, Partition: number % statePartitions, Key: []byte(key), Value: value})
		}
		if len(records) >= 1000 || number == smsTexts-1 {
			require.NoError(t, producer.Produce(t.Context(), records...))
			records = records[:0]
		}
	}
	require.NoError(t, producer.Close())
	command := exec.CommandContext(t.Context(), binary(t, "./restore"), "-brokers", cluster.Brokers[0], "-topic", topic,
		"-partitions", strconv.Itoa(statePartitions), "-dir", t.TempDir(), "-customers", "0")
	out, err := command.Output()
	require.NoError(t, err)
	var c restored
	require.NoError(t, json.Unmarshal(out, &c))
	return []string{
		fmt.Sprintf("%.1f s", c.Restore.Seconds), fmt.Sprintf("%.1f s", c.Restore.CPU), fmt.Sprintf("%d MB", c.RestoredBytes>>20),
		fmt.Sprintf("%d MB", c.FolderBytes>>20), strconv.Itoa(bytes / smsTexts),
	}
}

// acceptedText returns the rows of a text that was accepted.
func acceptedText(t *testing.T, number int) textRows {
	t.Helper()
	rows, now := textRows{}, time.Now().UTC()
	var trigger subscriber.Trigger
	require.NoError(t, json.Unmarshal(triggerRecord(t, topology.Topics{}, number).Value, &trigger))
	_, err := message.Open(rows, now, allActive{}).Add(trigger, message.Origin{Topic: "recharge.webhooks", Offset: int64(number), ReceivedAt: now})
	require.NoError(t, err)
	claimed, _, err := message.Open(rows, now.Add(time.Second), allActive{}).Claim(message.Claiming{
		Store: lab.Store, Lease: time.Minute, Room: func(due int) int { return due }, Decide: func(*message.Message) message.Decision { return message.Decision{} },
	})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	_, err = message.Open(rows, now.Add(2*time.Second), allActive{}).Receive(message.Receipt{
		Store: lab.Store, CustomerID: trigger.RechargeCustomerID, MessageID: claimed[0].ID, Attempt: 1, Outcome: message.Accepted, At: now, ProviderID: "SM" + claimed[0].ID[:32],
	})
	require.NoError(t, err)
	return rows
}

// allActive are the settings of a store with all flows.
type allActive struct{}

func (allActive) Flow(_ string, key flows.Key) flows.Flow { return flows.Flow{Key: key, Active: true} }
func (allActive) Paused(string, flows.Key) bool           { return false }

// textRows are rows in memory.
type textRows map[string][]byte

func (r textRows) Get(key []byte) []byte { return r[string(key)] }
func (r textRows) Set(key, value []byte) { r[string(key)] = value }
func (r textRows) Delete(key []byte)     { delete(r, string(key)) }

func (r textRows) Scan(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(r)) {
			if strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), r[key]) {
				return
			}
		}
	}
}
