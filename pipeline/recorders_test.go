package pipeline_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// memoryTopics is Kafka with one partition per topic.
type memoryTopics struct {
	mu      sync.Mutex
	down    bool
	records map[string][]kafka.Record
}

// Produce appends the records.
func (m *memoryTopics) Produce(_ context.Context, records ...kafka.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return context.DeadlineExceeded
	}
	for _, r := range records {
		r.Partition = 0
		r.Offset = int64(len(m.records[r.Topic]))
		m.records[r.Topic] = append(m.records[r.Topic], r)
	}
	return nil
}

func (m *memoryTopics) since(topic string, offset int) []kafka.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[topic][offset:]
}

// fates notes what is counted, in order.
type fates struct {
	mu       sync.Mutex
	lines    []string
	endToEnd []time.Duration
	pauses   []bool // every word about a pause
	waiting  []int  // every word about partitions that wait
}

// Record notes one.
func (f *fates) Record(role, store, outcome, reason string) {
	line := role + " " + outcome
	if reason != "" {
		line += " " + reason
	}
	if store != "acme" {
		line += " (store " + store + ")"
	}
	f.add(line)
}

func (f *fates) wait(role pipeline.Role, err error) {
	f.add(string(role) + " waits: " + err.Error())
}

func (f *fates) add(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, line)
}

// Ingest is part of pipeline.Metrics.
func (f *fates) Ingest(string, time.Duration) {}

// EndToEnd notes how long a webhook took.
func (f *fates) EndToEnd(_, _ string, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endToEnd = append(f.endToEnd, took)
}

// Paused makes a line of a pause only.
func (f *fates) Paused(role, _ string, paused bool) {
	if paused {
		f.add(role + " paused")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pauses = append(f.pauses, paused)
}

// Waiting notes in how many partitions a record waits.
func (f *fates) Waiting(_, _ string, partitions int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, partitions)
}

// Lookup makes a line of a call to the API.
func (f *fates) Lookup(store, askedFor, outcome string) {
	f.add("lookup of " + store + " for " + askedFor + ": " + outcome)
}

// LookupsPending is part of pipeline.Metrics.
func (f *fates) LookupsPending(string, int) {}

// all are the lines so far.
func (f *fates) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lines)
}

// count is how many lines are so.
func (f *fates) count(line string) int {
	n := 0
	for _, l := range f.all() {
		if l == line {
			n++
		}
	}
	return n
}

// anyDriver is a driver that a test may exchange.
type anyDriver struct{ sms.Driver }

// openLedger is a ledger whose answers a test may take away.
type openLedger struct {
	ledger.Ledger

	accept func(context.Context) error // nil asks the ledger
}

// Accept asks the test first.
func (l *openLedger) Accept(ctx context.Context, messageID, providerID string) error {
	if l.accept != nil {
		return l.accept(ctx)
	}
	return l.Ledger.Accept(ctx, messageID, providerID)
}

// logText is all that was logged, down to debug, as JSON.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) logger() *zap.Logger {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, l, zap.DebugLevel))
}

// Write is part of zapcore.WriteSyncer.
func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Sync is part of zapcore.WriteSyncer.
func (l *logText) Sync() error { return nil }

// String is the log, one line per entry.
func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// requireDiscreet finds what belongs in no log: secrets, and what is personal of
// the customers of the tests.
func (l *logText) requireDiscreet(t testing.TB) {
	t.Helper()
	log := strings.ToLower(l.String())
	for _, private := range []string{
		secret, "sms-secret", bloomreachtest.KeySecret, bloomreachtest.ProjectToken,
		"jo.bean", "bean", "@example.com", "5035550100", "503 555 0100", "f99bd4a6", "house blend",
	} {
		if strings.Contains(log, private) {
			t.Errorf("the log holds %q", private)
		}
	}
}
