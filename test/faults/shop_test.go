package faults_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/histories/expected"
)

// shopSystem is a system with transformers only, which process the histories of a shop.
type shopSystem struct {
	*system
	shop        histories.Shop
	many        int
	stream      *stream
	checker     *expected.Checker
	expected    int // events, in the end
	pending     int // lookup requests that stay unanswered
	next        map[string]map[int]int64
	directories directories
	lasting     int // transformers that run until the test ends
}

// directories are the state directories of transformers: the next one reuses the directory of one that has ended.
type directories struct {
	dir           string
	free          []string
	made          int
	kept, emptied int
}

func newShopSystem(t *testing.T, many int) *shopSystem {
	t.Helper()
	brokers := kafkatest.One(t, kafkatest.WithProxies())
	w := newSystem(t, &brokers)
	shop := histories.Shop{Seed: w.Uint64(), Now: time.Now(), Duplicates: histories.Duplicates{Same: 0.04, Other: 0.03, Late: 0.1}}
	checker := expected.NewChecker(many, func(n int) expected.Result { return expected.Of(shop.History(n)) })
	s := &shopSystem{
		system: w, shop: shop, many: many, checker: checker, next: map[string]map[int]int64{}, directories: directories{dir: t.TempDir()},
		stream: &stream{
			shop: shop, many: many, topic: w.topics.Webhooks(), rate: rate.NewLimiter(1, 4*atOnce), ended: make(chan error, 1),
			producer: kafka.NewProducer(w.cluster, kafka.ProducerConfig{}),
		},
	}
	t.Cleanup(func() { assert.NoError(t, s.stream.producer.Close()) })
	for n := range many {
		s.expect(shop.History(n))
	}
	w.logf("%d customers, %d webhooks, %d events expected", many, s.stream.total, s.expected)
	return s
}

// expect counts the expected events of a history, and adds its answers to the API.
func (s *shopSystem) expect(h histories.History) {
	s.Helper()
	for _, burst := range h.Bursts {
		s.stream.total += len(burst)
	}
	want := expected.Of(h)
	s.expected += len(want.Events) + len(want.LookedUp)
	if h.Pending() {
		s.pending++
	}
	for _, document := range h.Answers() {
		require.NoError(s, s.lab.API.Put([]byte(document)))
	}
}

// joinShop starts a transformer on the copy of another or without one, and does not wait for it.
func (s *shopSystem) joinShop(noCopy bool, environ ...string) *member {
	s.Helper()
	f := &s.directories
	if len(f.free) == 0 {
		f.made++
		f.free = append(f.free, filepath.Join(f.dir, strconv.Itoa(f.made)))
	}
	directory := f.free[0]
	f.free = f.free[1:]
	f.kept++
	if noCopy || s.IntN(4) == 0 {
		f.kept, f.emptied = f.kept-1, f.emptied+1
		require.NoError(s, os.RemoveAll(directory))
	}
	m := s.join(append(environ, "RECHARGEFLOW_TRANSFORMER_STATE_DIR="+directory)...)
	m.StateDir = directory
	return m
}

// leave removes a transformer that has ended. Its copy stays.
func (s *shopSystem) leave(m *member) {
	s.remove(m)
	s.directories.free = append(s.directories.free, m.StateDir)
}

// checkSoFar reads the output since the last check, and fails the test if it differs from the expected result.
func (s *shopSystem) checkSoFar() {
	s.Helper()
	s.read(s.topics.Events(), func(r kafka.Record) error {
		from, err := lineage(r)
		if err != nil {
			return err
		}
		s.checker.Once("event", r.Header(envelope.HeaderCEID))
		return s.checker.Event(r.Value, expected.Position{Partition: from.partition, Offset: from.offset})
	})
	s.read(s.topics.Facts(), func(r kafka.Record) error {
		s.checker.Once("fact", r.Header(envelope.HeaderCEID))
		return s.checker.Fact(r.Value)
	})
	s.read(s.topics.Triggers(), func(r kafka.Record) error {
		s.checker.Once(r.Header(envelope.HeaderCEType), r.Header(envelope.HeaderCEID))
		return nil
	})
	s.read(s.topics.DeadLetters(topology.RoleTransformer), func(r kafka.Record) error {
		_, customer, _ := strings.Cut(string(r.Key), "/")
		s.checker.DeadLetter(customer)
		if why := r.Header(deadletter.HeaderReason); why != string(reason.CustomerUnknown) {
			return fmt.Errorf("dead letter of customer %s: %s", customer, why)
		}
		return nil
	})
	s.requireNone(s.checker.SoFar())
}

// read reads the records of a topic since the last call.
func (s *shopSystem) read(topic string, take func(kafka.Record) error) {
	s.Helper()
	if s.next[topic] == nil {
		s.next[topic] = map[int]int64{}
	}
	reader, err := kafka.NewTopicReader(s.cluster, topic)
	require.NoError(s, err)
	defer reader.Close()
	spans, err := reader.OffsetRanges(s.Context(), numbers()...)
	require.NoError(s, err)
	for partition, span := range spans {
		span.First = max(span.First, s.next[topic][partition])
		for r, err := range reader.Read(s.Context(), partition, span) {
			require.NoError(s, err)
			require.NoErrorf(s, take(r), "%s %d/%d", topic, partition, r.Offset)
		}
		s.next[topic][partition] = span.End
	}
}

// requireNone fails the test if there are findings.
func (s *shopSystem) requireNone(wrong []string) {
	s.Helper()
	if len(wrong) == 0 {
		return
	}
	for _, m := range s.all() {
		s.Logf("%s: %s", m.name, lastOf(m.Output()))
	}
	require.Failf(s, "the result is not as expected", "%d findings, the first:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
}

// rest waits for the rest of the result, and compares all of it with the expected one.
func (s *shopSystem) rest() {
	s.Helper()
	require.NoError(s, s.stream.rest())
	s.settle()
	require.EventuallyWithT(s, func(c *assert.CollectT) { assert.Equal(c, s.pending, s.unanswered()) }, 2*time.Minute, 500*time.Millisecond)
	s.settle()
	for until := time.Now().Add(visible); ; s.wait(time.Second, nil) {
		if s.checkSoFar(); s.checker.Events() >= s.expected || time.Now().After(until) {
			break
		}
	}
	tables := expected.Tables{}
	for _, topic := range []string{s.topics.Customers(), s.topics.Subscriptions(), s.topics.Charges()} {
		s.read(topic, func(r kafka.Record) error {
			tables.Set(string(r.Key), r.Value)
			return nil
		})
	}
	s.requireNone(s.checker.InTheEnd(tables))
	s.logf("%d events, each once, in order, and no other; %d rows of tables as expected", s.checker.Events(), len(tables))
}

// unanswered is how many lookup requests have no answer yet, -1 if the metrics cannot be read.
func (s *shopSystem) unanswered() int {
	sum := 0
	for _, m := range s.transformers {
		ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
		page, err := m.Metrics(ctx)
		cancel()
		if err != nil {
			return -1
		}
		for line := range strings.Lines(page) {
			if labels, value, _ := strings.Cut(line, "} "); strings.HasPrefix(labels, "rechargeflow_lookups_pending{") {
				n, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
				sum += int(n)
			}
		}
	}
	return sum
}
