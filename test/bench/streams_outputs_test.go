//go:build bench

package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	// comparedEach is how many webhooks of each input are compared.
	comparedEach = 15_000
	// comparedTogether is how many customers have their histories side by side: those of the first ones are complete.
	comparedTogether = 100
)

// compareOutputs lets two peers transform the same records, and compares what they wrote.
func compareOutputs(t *testing.T, r *report, on target, ours, theirs peer) {
	t.Helper()
	var input []kafka.Record
	now := time.Now().UTC()
	for _, w := range slices.Concat(newCustomers().take(comparedEach), historiesOf(0, comparedTogether).take(comparedEach)) {
		input = append(input, rawRecord("", eventsStore, w, now))
	}
	a, b := transformAll(t, on, ours, input), transformAll(t, on, theirs, input)
	var rows [][]string
	for i, name := range outputNames() {
		onlyA, onlyB := onlyIn(a.records[i], b.records[i]), onlyIn(b.records[i], a.records[i])
		countA, countB := len(a.records[i]), len(b.records[i])
		rows = append(rows, []string{name, thousands(countA), thousands(countB), thousands(len(onlyA)), thousands(len(onlyB))})
		assert.Equalf(t, countA, countB, "records in %s: the two programs do not do the same work", name)
		for _, only := range [][]string{onlyA, onlyB} {
			if len(only) > 0 {
				t.Logf("%s differ, such as: %s", name, only[0])
			}
		}
	}
	rows = append(rows, []string{"state", thousands(a.state), thousands(b.state), "-", "-"})
	r.table("Transformer beside Kafka Streams: the same work",
		fmt.Sprintf("What both wrote for the same %s webhooks, half of each input. Records are equal if partition, key, headers and value are, byte for byte.\n"+
			"State has other rows, and fewer where one row has more.", thousands(len(input))),
		[]string{"topic", ours.name, "Kafka Streams", "only in the first", "only in the second"}, rows)
}

// written is what a peer wrote.
type written struct {
	records [][]string // by topic, see outputNames
	state   int
}

func outputNames() []string {
	return []string{
		"`recharge.events`", "`recharge.facts`", "`recharge.customers`", "`recharge.subscriptions`", "`recharge.charges`",
		"`recharge.webhooks`, owners and deletions", "`recharge.sms-triggers`, dead letters",
	}
}

// transformAll lets a peer transform the input, and reads its outputs.
func transformAll(t *testing.T, on target, p peer, input []kafka.Record) written {
	t.Helper()
	prefix := lab.RandomPrefix("streams")
	topics := topology.Topics{Prefix: prefix}
	cluster := stageCluster(t, on, prefix)
	progress := newProgress(t, on, p.group(prefix), topics.Webhooks())
	producer := snappyProducer(t, cluster)
	for some := range slices.Chunk(input, 1000) {
		some = slices.Clone(some)
		for i := range some {
			some[i].Topic = topics.Webhooks()
		}
		require.NoError(t, producer.Produce(t.Context(), some...))
	}
	require.NoError(t, producer.Close())
	_, stop := p.start(t, prefix)
	progress.awaitQuiet(t)
	stop()
	read := func(topics ...string) (all []kafka.Record) {
		for _, topic := range topics {
			records, err := kafkatest.ReadAll(t.Context(), cluster, topic)
			require.NoError(t, err)
			all = append(all, records...)
		}
		return all
	}
	owners := slices.DeleteFunc(read(topics.Webhooks()), func(r kafka.Record) bool { return r.Header(envelope.HeaderSource) == "" })
	out := written{state: len(read(p.state(prefix)...))}
	for _, records := range [][]kafka.Record{
		read(topics.Events()), read(topics.Facts()), read(topics.Customers()), read(topics.Subscriptions()), read(topics.Charges()), owners,
		read(topics.Triggers(), topics.DeadLetters(topology.RoleTransformer)),
	} {
		out.records = append(out.records, printed(records))
	}
	deleteTopics(t, cluster, prefix)
	return out
}

// printed returns the records as texts, sorted, without what is of a run: topics' prefixes, offsets, times of writing.
func printed(records []kafka.Record) []string {
	texts := make([]string, len(records))
	for i, r := range records {
		text := fmt.Appendf(nil, "%d %s %s", r.Partition, r.Key, r.Value)
		for _, h := range r.Headers {
			if !ofRun(r, h.Key) {
				text = fmt.Appendf(text, " %s=%s", h.Key, h.Value)
			}
		}
		texts[i] = string(text)
	}
	slices.Sort(texts)
	return texts
}

// ofRun reports whether a header of a record differs between two runs. The raw record of a deletion, and of the row that it removes, is
// one that a peer wrote itself, so its offset depends on when that peer committed what.
func ofRun(r kafka.Record, header string) bool {
	switch header {
	case envelope.HeaderRawTopic:
		return true
	case envelope.HeaderCEID, envelope.HeaderRawOffset:
		return r.Header(envelope.HeaderSource) == envelope.SourceDeleted
	}
	return false
}

// onlyIn returns the texts of a that b lacks; both are sorted.
func onlyIn(a, b []string) (only []string) {
	for _, text := range a {
		for len(b) > 0 && b[0] < text {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == text {
			b = b[1:]
			continue
		}
		only = append(only, text)
	}
	return only
}
