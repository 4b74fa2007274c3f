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

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// memoryTopics is Kafka with one partition per topic.
type memoryTopics struct {
	mu      sync.Mutex
	down    bool
	failing int // how many of the next calls fail
	records map[string][]kafka.Record
}

// Produce appends the records.
func (m *memoryTopics) Produce(_ context.Context, records ...kafka.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing > 0 {
		m.failing--
		return context.DeadlineExceeded
	}
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

// failNext makes the next calls of Produce fail.
func (m *memoryTopics) failNext(calls int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing = calls
}

func (m *memoryTopics) since(topic string, offset int) []kafka.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[topic][offset:]
}

// outcomes records what is counted, in order.
type outcomes struct {
	mu        sync.Mutex
	lines     []string
	endToEnd  []time.Duration
	pauses    []bool // every call of Paused
	waiting   []int  // every call of Waiting
	responses []int  // status of every answer of the gateway
}

// Record records one.
func (f *outcomes) Record(role, store, outcome, reason string) {
	line := role + " " + outcome
	if reason != "" {
		line += " " + reason
	}
	if store != "acme" {
		line += " (store " + store + ")"
	}
	f.add(line)
}

func (f *outcomes) wait(role topology.Role, err error) {
	f.add(string(role) + " waits: " + err.Error())
}

func (f *outcomes) add(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, line)
}

// Ingest is part of pipeline.Metrics.
func (f *outcomes) Ingest(string, time.Duration) {}

// Response records the status of an answer.
func (f *outcomes) Response(status int, _ time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.responses = append(f.responses, status)
}

// EndToEnd records how long a webhook took.
func (f *outcomes) EndToEnd(_, _ string, took time.Duration, _ string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endToEnd = append(f.endToEnd, took)
}

// Paused adds a line for a pause only.
func (f *outcomes) Paused(role, _ string, paused bool) {
	if paused {
		f.add(role + " paused")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pauses = append(f.pauses, paused)
}

// Text adds a line for a change of a text, but for those on its way.
func (f *outcomes) Text(_, flow, status, reason string) {
	if status == "planned" || status == "claimed" {
		return
	}
	line := "text " + flow + " " + status
	if reason != "" {
		line += " " + reason
	}
	f.add(line)
}

// Waiting records in how many partitions a record waits.
func (f *outcomes) Waiting(_, _ string, partitions int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, partitions)
}

// Lookup adds a line for a call to the API.
func (f *outcomes) Lookup(store, kind, outcome string) {
	f.add("lookup of " + store + " for " + kind + ": " + outcome)
}

// LookupsPending is part of pipeline.Metrics.
func (f *outcomes) LookupsPending(string, int) {}

// UnknownTopic adds a line for the topic that was meant.
func (f *outcomes) UnknownTopic(_, nearest string) {
	f.add("topic unknown, nearest: " + nearest)
}

// UnreadableField adds a line for the field.
func (f *outcomes) UnreadableField(_, resource, field string) {
	f.add("unreadable: " + resource + "." + field)
}

// all returns the lines so far.
func (f *outcomes) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lines)
}

// count returns how many lines equal line.
func (f *outcomes) count(line string) int {
	n := 0
	for _, l := range f.all() {
		if l == line {
			n++
		}
	}
	return n
}

// swappableDriver is a driver that a test can replace.
type swappableDriver struct{ sms.Driver }

// logText is the log, down to debug, as JSON.
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

// requireNoPersonalData fails if the log has secrets or personal data of the tests'
// customers.
func (l *logText) requireNoPersonalData(t testing.TB) {
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
