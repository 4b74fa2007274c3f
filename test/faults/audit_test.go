package faults_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// position is the position of a raw record.
type position struct {
	partition int
	offset    int64
}

// rawRecord is a stored webhook, and its outputs so far.
type rawRecord struct {
	key     string
	number  int64
	outputs map[output]int
}

// output is a kind of record: its topic and its ce_type, "" for a dead letter.
type output struct{ topic, kind string }

// outputsOf are the expected outputs of a webhook, one of each, however often it was stored. Each raw record of a malformed webhook
// has a dead letter.
func outputsOf(topics topology.Topics, number int64) []output {
	switch kindOf(number) {
	case malformed:
		return []output{{topics.DeadLetters(topology.RoleTransformer), ""}}
	case unused:
		return nil
	}
	return []output{
		{topics.Events(), "rechargeflow.subscription_charge"},
		{topics.Triggers(), envelope.TypeTrigger},
		{topics.Triggers(), envelope.TypeRevocation},
	}
}

// audit is the outcome of every raw record.
type audit struct {
	raw        map[position]*rawRecord
	findings   []string // the first few, in words
	lost       int
	duplicated int
	repeated   int // outputs with the ID of an earlier one
	written    int // outputs
	ids        map[string]string
	outOfOrder int
	// misattributed outputs have no raw record, or the lineage of another one.
	misattributed int
}

// reader yields a topic's records, of committed transactions only.
type reader func(topic string) iter.Seq2[kafka.Record, error]

func (w *system) scan(topic string) iter.Seq2[kafka.Record, error] {
	return kafka.Scan(w.Context(), w.cluster, topic, time.Time{})
}

// newAudit reads every topic and compares it with the webhooks that were accepted.
func (w *system) newAudit(read reader) *audit {
	w.Helper()
	a := &audit{raw: map[position]*rawRecord{}, ids: map[string]string{}}
	require.NoError(w, a.readRaw(read(w.topics.Webhooks())))
	for _, topic := range []string{w.topics.Events(), w.topics.Triggers(), w.topics.DeadLetters(topology.RoleTransformer)} {
		require.NoError(w, a.readOutputs(topic, read(topic)))
	}
	a.count(w.topics, w.load)
	return a
}

// requireClean fails the test if the audit found an error.
func (w *system) requireClean(a *audit) {
	w.Helper()
	if !assert.Equal(w, [5]int{}, [5]int{a.lost, a.duplicated, a.repeated, a.outOfOrder, a.misattributed}, "lost, duplicated, repeated IDs, out of order, misattributed") {
		for _, m := range w.all() {
			w.Logf("%s: %s", m.name, lastOf(m.Output()))
		}
		w.FailNow()
	}
}

func (a *audit) find(counter *int, format string, args ...any) {
	*counter++
	if len(a.findings) < 20 {
		a.findings = append(a.findings, fmt.Sprintf(format, args...))
	}
}

var numberIn = regexp.MustCompile(`"id":\[?(\d{7,})`)

func (a *audit) readRaw(records iter.Seq2[kafka.Record, error]) error {
	for r, err := range records {
		if err != nil {
			return err
		}
		if r.Header(envelope.HeaderSource) != envelope.SourceWebhook { // a lookup, or a record of the transformer itself
			continue
		}
		found := numberIn.FindSubmatch(r.Value)
		if found == nil {
			return fmt.Errorf("raw record without a number: %s", r.Value)
		}
		number, err := strconv.ParseInt(string(found[1]), 10, 64)
		if err != nil {
			return err
		}
		a.raw[position{r.Partition, r.Offset}] = &rawRecord{key: string(r.Key), number: number, outputs: map[output]int{}}
	}
	return nil
}

// readOutputs finds the raw record of each output, by its lineage. The outputs of a key must be in the order of their raw
// records: all of a key's are in one partition.
func (a *audit) readOutputs(topic string, records iter.Seq2[kafka.Record, error]) error {
	last := map[string]int64{}
	for r, err := range records {
		if err != nil {
			return err
		}
		from, err := lineage(r)
		if err != nil {
			return err
		}
		raw := a.raw[from]
		if raw == nil || from.partition != r.Partition || !bytes.Contains(r.Value, strconv.AppendInt(nil, raw.number, 10)) {
			a.find(&a.misattributed, "%s %d/%d: its raw record %+v is another one or missing", topic, r.Partition, r.Offset, from)
			continue
		}
		a.written++
		id := fmt.Sprint(topic, " ", cmp.Or(r.Header(envelope.HeaderCEID), fmt.Sprint(from)))
		if first, seen := a.ids[id]; seen {
			a.find(&a.repeated, "%s %d/%d of raw record %+v came before, with id %s: %s", topic, r.Partition, r.Offset, from, id, first)
			continue
		}
		a.ids[id] = fmt.Sprintf("%d/%d of raw record %+v", r.Partition, r.Offset, from)
		raw.outputs[output{topic, r.Header(envelope.HeaderCEType)}]++
		if before, known := last[raw.key]; known && before > from.offset {
			a.find(&a.outOfOrder, "%s %d/%d was made from raw record %d, after one of %d of the same key %s", topic, r.Partition, r.Offset, from.offset, before, raw.key)
		}
		last[raw.key] = max(last[raw.key], from.offset)
	}
	return nil
}

func lineage(r kafka.Record) (position, error) {
	partition, offset := r.Header(envelope.HeaderRawPartition), r.Header(envelope.HeaderRawOffset)
	if partition == "" {
		partition, offset = r.Header(deadletter.HeaderPartition), r.Header(deadletter.HeaderOffset)
	}
	p, err := strconv.Atoi(partition)
	o, failed := strconv.ParseInt(offset, 10, 64)
	if err != nil || failed != nil {
		return position{}, fmt.Errorf("%s %d/%d has no lineage: %w", r.Topic, r.Partition, r.Offset, errors.Join(err, failed))
	}
	return position{p, o}, nil
}

// count counts lost and duplicated outputs of each webhook, and lost accepted webhooks.
func (a *audit) count(topics topology.Topics, l *load) {
	stored, came := map[int64]int{}, map[int64]map[output]int{}
	for _, raw := range a.raw {
		stored[raw.number]++
		if came[raw.number] == nil {
			came[raw.number] = map[output]int{}
		}
		for each, n := range raw.outputs {
			came[raw.number][each] += n
		}
	}
	for number, outputs := range came {
		a.countOne(number, stored[number], outputs, outputsOf(topics, number))
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for number, tries := range l.tries {
		switch n := stored[number]; {
		case n == 0:
			a.find(&a.lost, "webhook %d was accepted and is not there", number)
		case n > tries:
			a.find(&a.duplicated, "webhook %d is there %d times, sent %d times", number, n, tries)
		}
	}
}

// countOne compares the outputs of a webhook with the expected ones.
func (a *audit) countOne(number int64, stored int, came map[output]int, wanted []output) {
	times := 1
	if kindOf(number) == malformed {
		times = stored
	}
	for _, each := range wanted {
		if n := came[each]; n < times {
			a.find(&a.lost, "webhook %d, stored %d times, has %d of %s", number, stored, n, each)
		}
	}
	for each, n := range came {
		switch {
		case !slices.Contains(wanted, each):
			a.find(&a.misattributed, "webhook %d has %s, and should not", number, each)
		case n > times:
			a.find(&a.duplicated, "webhook %d, stored %d times, has %d of %s", number, stored, n, each)
		}
	}
}

// paid are the numbers of the paid charges among the raw records.
func (a *audit) paid() map[int64]bool {
	charges := map[int64]bool{}
	for _, raw := range a.raw {
		if kindOf(raw.number) == paid {
			charges[raw.number] = true
		}
	}
	return charges
}

// visible is the time after which a committed record must be readable: brokers write the markers of a transaction after their
// answer, and abort an open transaction after half a minute.
const visible = 40 * time.Second

// check is one audit after the groups have read everything.
func (w *system) check() *audit {
	w.Helper()
	a := w.settledAudit()
	w.requireClean(a)
	return a
}

// checkWithRepeated is check after the only broker was killed: some outputs may be stored again with their IDs. It returns how
// many are.
func (w *system) checkWithRepeated() (a *audit, again int) {
	w.Helper()
	a = w.settledAudit()
	again = a.repeated
	require.Less(w, 20*again, a.written, "few are stored twice")
	a.repeated = 0
	w.requireClean(a)
	return a, again
}

func (w *system) settledAudit() *audit {
	w.Helper()
	require.NoError(w, w.load.rest())
	w.settle()
	a := w.seen()
	for _, finding := range a.findings {
		w.Log(finding)
	}
	return a
}

// seen is an audit that found no lost record, or the last one before the timeout.
func (w *system) seen() *audit {
	w.Helper()
	began := time.Now()
	a := w.newAudit(w.scan)
	for a.lost > 0 && time.Since(began) < visible {
		w.wait(time.Second, nil)
		a = w.newAudit(w.scan)
	}
	if took := time.Since(began); took > visible/4 {
		w.logf("all committed records were readable after %s", took.Round(time.Second))
	}
	return a
}
