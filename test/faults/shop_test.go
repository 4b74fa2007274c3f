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

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lives"
)

// shopWorld is a world of transformers alone, through which a whole shop lives.
type shopWorld struct {
	*world
	shop    lives.Shop
	many    int
	stream  *stream
	watch   *lives.Watch
	must    int // events, in the end
	pending int // questions to the API that nothing settles
	next    map[string]map[int]int64
	folders folders
	lasting int // transformers that are there to stay
}

// folders are where transformers keep their copies: those of who is gone are for who comes next.
type folders struct {
	dir           string
	free          []string
	made          int
	kept, emptied int
}

func newShopWorld(t *testing.T, many int) *shopWorld {
	t.Helper()
	brokers := kafkatest.One(t, kafkatest.WithProxies())
	w := newWorld(t, &brokers)
	shop := lives.Shop{Seed: w.Uint64(), Now: time.Now()}
	s := &shopWorld{
		world: w, shop: shop, many: many, watch: lives.NewWatch(shop, many), next: map[string]map[int]int64{}, folders: folders{dir: t.TempDir()},
		stream: &stream{
			shop: shop, many: many, topic: w.topics.Webhooks(), rate: rate.NewLimiter(1, 4*atOnce), ended: make(chan error, 1),
			producer: kafka.NewProducer(w.cluster, kafka.ProducerConfig{}),
		},
	}
	t.Cleanup(func() { assert.NoError(t, s.stream.producer.Close()) })
	for n := range many {
		s.expect(shop.Life(n))
	}
	w.say("%d customers, %d webhooks, %d events to come", many, s.stream.total, s.must)
	return s
}

// expect counts what a life brings, and lets the API know of it.
func (s *shopWorld) expect(l lives.Life) {
	s.Helper()
	for _, burst := range l.Bursts {
		s.stream.total += len(burst)
	}
	must := l.Reckon(lives.Bursts)
	s.must += len(must.Events) + len(must.Answered)
	if l.Pending() {
		s.pending++
	}
	for _, document := range l.Answers() {
		require.NoError(s, s.lab.API.Put([]byte(document)))
	}
}

// joinShop starts a transformer on a copy that another left, or on none, and does not wait for it.
func (s *shopWorld) joinShop(noCopy bool, environ ...string) *member {
	s.Helper()
	f := &s.folders
	if len(f.free) == 0 {
		f.made++
		f.free = append(f.free, filepath.Join(f.dir, strconv.Itoa(f.made)))
	}
	folder := f.free[0]
	f.free = f.free[1:]
	f.kept++
	if noCopy || s.IntN(4) == 0 {
		f.kept, f.emptied = f.kept-1, f.emptied+1
		require.NoError(s, os.RemoveAll(folder))
	}
	m := s.join(append(environ, "RECHARGEFLOW_TRANSFORMER_STATE_DIR="+folder)...)
	m.StateDir = folder
	return m
}

// leave forgets a transformer that has ended. Its copy stays.
func (s *shopWorld) leave(m *member) {
	s.remove(m)
	s.folders.free = append(s.folders.free, m.StateDir)
}

// look reads what came since the last look, and fails the test when it is wrong so far.
func (s *shopWorld) look() {
	s.Helper()
	s.read(s.topics.Events(), func(r kafka.Record) error {
		from, err := lineage(r)
		if err != nil {
			return err
		}
		s.watch.Once("event", r.Header(pipeline.HeaderID))
		return s.watch.Event(r.Value, lives.Place{Partition: from.partition, Offset: from.offset})
	})
	s.read(s.topics.Triggers(), func(r kafka.Record) error {
		s.watch.Once(r.Header(pipeline.HeaderType), r.Header(pipeline.HeaderID))
		return nil
	})
	s.read(s.topics.DeadLetters(pipeline.RoleTransformer), func(r kafka.Record) error {
		_, customer, _ := strings.Cut(string(r.Key), "/")
		s.watch.Letter(customer)
		if reason := r.Header(deadletter.HeaderReason); reason != string(pipeline.ReasonCustomerUnknown) {
			return fmt.Errorf("dead letter of customer %s: %s", customer, reason)
		}
		return nil
	})
	s.right(s.watch.SoFar())
}

// read takes the records of a topic from where it stopped.
func (s *shopWorld) read(topic string, take func(kafka.Record) error) {
	s.Helper()
	if s.next[topic] == nil {
		s.next[topic] = map[int]int64{}
	}
	reader, err := kafka.NewTopicReader(s.cluster, topic)
	require.NoError(s, err)
	defer reader.Close()
	spans, err := reader.Spans(s.Context(), numbers()...)
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

// right fails the test unless nothing is wrong.
func (s *shopWorld) right(wrong []string) {
	s.Helper()
	if len(wrong) == 0 {
		return
	}
	for _, m := range s.all() {
		s.Logf("%s: %s", m.name, lastOf(m.Output()))
	}
	require.Failf(s, "what came is not what should have", "%d findings, the first:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
}

// rest waits until all has come, and holds all of it to the reckoning.
func (s *shopWorld) rest() {
	s.Helper()
	require.NoError(s, s.stream.rest())
	s.settle()
	require.EventuallyWithT(s, func(c *assert.CollectT) { assert.Equal(c, s.pending, s.unanswered()) }, 2*time.Minute, 500*time.Millisecond)
	s.settle()
	for until := time.Now().Add(visible); ; s.wait(time.Second, nil) {
		if s.look(); s.watch.Events() >= s.must || time.Now().After(until) {
			break
		}
	}
	tables := lives.Tables{}
	for _, topic := range []string{s.topics.Customers(), s.topics.Subscriptions()} {
		s.read(topic, func(r kafka.Record) error {
			tables.Take(string(r.Key), r.Value)
			return nil
		})
	}
	s.right(s.watch.InTheEnd(tables))
	s.say("%d events, each once, in order, and no other; %d rows of tables as reckoned", s.watch.Events(), len(tables))
}

// unanswered is how many questions to the API have no answer yet, -1 when nobody can tell.
func (s *shopWorld) unanswered() int {
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
