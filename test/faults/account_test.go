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

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// place is where a raw record lies.
type place struct {
	partition int
	offset    int64
}

// rawRecord is a webhook as it was stored, and what came of it so far.
type rawRecord struct {
	key     string
	number  int64
	outputs map[output]int
}

// output is a kind of record: where it lies, and its ce_type, "" for a dead letter.
type output struct{ topic, kind string }

// outputsOf is what must come of a webhook, one of each, however often it was stored; but for dead letters, which are of
// each raw record.
func outputsOf(topics pipeline.Topics, number int64) []output {
	switch kindOf(number) {
	case malformed:
		return []output{{topics.DeadLetters(pipeline.RoleTransformer), ""}}
	case unused:
		return nil
	}
	return []output{
		{topics.Events(), "rechargeflow.subscription_charge"},
		{topics.Triggers(), pipeline.TypeTrigger},
		{topics.Triggers(), pipeline.TypeRevocation},
	}
}

// account is what became of every raw record.
type account struct {
	raw        map[place]*rawRecord
	findings   []string // the first few, in words
	lost       int
	doubled    int
	again      int // outputs that are there already, with the same id
	written    int // outputs
	ids        map[string]bool
	outOfOrder int
	foreign    int // outputs of no raw record, or of another than their lineage says
}

// reader yields a topic's records, of committed transactions only.
type reader func(topic string) iter.Seq2[kafka.Record, error]

func (w *world) scan(topic string) iter.Seq2[kafka.Record, error] {
	return kafka.Scan(w.Context(), w.cluster, topic, time.Time{})
}

// audit reads every topic and holds it against what was taken.
func (w *world) audit(read reader) *account {
	w.Helper()
	a := &account{raw: map[place]*rawRecord{}, ids: map[string]bool{}}
	require.NoError(w, a.readRaw(read(w.topics.Webhooks())))
	for _, topic := range []string{w.topics.Events(), w.topics.Triggers(), w.topics.DeadLetters(pipeline.RoleTransformer)} {
		require.NoError(w, a.readOutputs(topic, read(topic)))
	}
	a.judge(w.topics, w.load)
	return a
}

// clean fails the test unless nothing is wrong.
func (w *world) clean(a *account) {
	w.Helper()
	if !assert.Equal(w, [5]int{}, [5]int{a.lost, a.doubled, a.again, a.outOfOrder, a.foreign}, "lost, doubled, there again, out of order, foreign") {
		for _, m := range w.all() {
			w.Logf("%s: %s", m.name, lastOf(m.Output()))
		}
		w.FailNow()
	}
}

func (a *account) find(counter *int, format string, args ...any) {
	*counter++
	if len(a.findings) < 20 {
		a.findings = append(a.findings, fmt.Sprintf(format, args...))
	}
}

var numberIn = regexp.MustCompile(`"id":\[?(\d{7,})`)

func (a *account) readRaw(records iter.Seq2[kafka.Record, error]) error {
	for r, err := range records {
		if err != nil {
			return err
		}
		found := numberIn.FindSubmatch(r.Value)
		if found == nil {
			return fmt.Errorf("raw record without a number: %s", r.Value)
		}
		number, err := strconv.ParseInt(string(found[1]), 10, 64)
		if err != nil {
			return err
		}
		a.raw[place{r.Partition, r.Offset}] = &rawRecord{key: string(r.Key), number: number, outputs: map[output]int{}}
	}
	return nil
}

// readOutputs asks each output where it comes from. A partition's outputs come in the order of their raw records; so
// do those of a key, for all of a key's are in one partition.
func (a *account) readOutputs(topic string, records iter.Seq2[kafka.Record, error]) error {
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
			a.find(&a.foreign, "%s %d/%d is of %+v, which is another or not there", topic, r.Partition, r.Offset, from)
			continue
		}
		a.written++
		id := fmt.Sprint(topic, " ", cmp.Or(r.Header(pipeline.HeaderID), fmt.Sprint(from)))
		if a.ids[id] {
			a.find(&a.again, "%s %d/%d of raw record %+v is there already, as %s", topic, r.Partition, r.Offset, from, id)
			continue
		}
		a.ids[id] = true
		raw.outputs[output{topic, r.Header(pipeline.HeaderType)}]++
		if before, known := last[raw.key]; known && before > from.offset {
			a.find(&a.outOfOrder, "%s %d/%d is of raw record %d, after one of %d of the same key %s", topic, r.Partition, r.Offset, from.offset, before, raw.key)
		}
		last[raw.key] = max(last[raw.key], from.offset)
	}
	return nil
}

func lineage(r kafka.Record) (place, error) {
	partition, offset := r.Header(pipeline.HeaderRawPartition), r.Header(pipeline.HeaderRawOffset)
	if partition == "" {
		partition, offset = r.Header(deadletter.HeaderPartition), r.Header(deadletter.HeaderOffset)
	}
	p, err := strconv.Atoi(partition)
	o, failed := strconv.ParseInt(offset, 10, 64)
	if err != nil || failed != nil {
		return place{}, fmt.Errorf("%s %d/%d has no lineage: %w", r.Topic, r.Partition, r.Offset, errors.Join(err, failed))
	}
	return place{p, o}, nil
}

// judge counts what is lost and doubled: of the outputs of each webhook, and of the webhooks that were taken.
func (a *account) judge(topics pipeline.Topics, l *load) {
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
		a.judgeOne(number, stored[number], outputs, outputsOf(topics, number))
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for number, tries := range l.tries {
		switch n := stored[number]; {
		case n == 0:
			a.find(&a.lost, "webhook %d was taken and is not there", number)
		case n > tries:
			a.find(&a.doubled, "webhook %d is there %d times, sent %d times", number, n, tries)
		}
	}
}

// judgeOne holds what came of a webhook against what should have.
func (a *account) judgeOne(number int64, stored int, came map[output]int, wanted []output) {
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
			a.find(&a.foreign, "webhook %d has %s, and should not", number, each)
		case n > times:
			a.find(&a.doubled, "webhook %d, stored %d times, has %d of %s", number, stored, n, each)
		}
	}
}

// visible is how long a committed record may take to be seen: brokers write the markers of a transaction after they have
// answered, and abort one that nobody ends after half a minute.
const visible = 40 * time.Second

// check is one audit after everything has settled.
func (w *world) check() *account {
	w.Helper()
	require.NoError(w, w.load.rest())
	w.settle()
	a := w.seen()
	for _, finding := range a.findings {
		w.Log(finding)
	}
	w.clean(a)
	return a
}

// seen is an audit that waits until nothing is lost, for as long as that may take.
func (w *world) seen() *account {
	w.Helper()
	began := time.Now()
	a := w.audit(w.scan)
	for a.lost > 0 && time.Since(began) < visible {
		w.wait(time.Second, nil)
		a = w.audit(w.scan)
	}
	if took := time.Since(began); took > visible/4 {
		w.say("it took %s until all that is committed was seen", took.Round(time.Second))
	}
	return a
}
