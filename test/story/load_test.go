package story_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/histories/expected"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestLoad sends the histories of many customers, in bursts as they were recorded, with duplicates and disorder. It compares
// recharge.events, what Bloomreach keeps, the dead letters, the tables and the property with the expected result of the stored
// webhooks. CUSTOMERS is their number; `make load` sends more.
func TestLoad(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		run := &histories.Run{
			Customers: customersOfLoad(t), Together: 100, Longest: 2 * time.Second,
			Shop: histories.Shop{
				Seed: 1, Now: time.Now().Add(-compressed), Recorded: true, Duplicates: histories.Duplicates{Same: 0.05, Other: 0.02, Late: 0.1},
			},
		}
		for n := range run.Customers {
			for _, document := range run.Shop.History(n).Answers() {
				require.NoError(t, l.API.Put([]byte(document)))
			}
		}
		l.API.LimitRate(rechargetest.StandardBucket())
		began := time.Now()
		require.NoError(t, run.Send(t.Context(), func(ctx context.Context, topic recharge.Topic, body []byte) (bool, error) {
			return try(ctx, l, lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
		}))
		t.Logf("%d customers, %d webhooks in %d tries, sent in %s", run.Customers, run.Sent(), run.Tried(), time.Since(began).Round(time.Millisecond))
		topics := topology.Topics{Prefix: l.Prefix}
		require.Eventually(t, func() bool {
			return settled(t, processes, "transformer") >= max(run.Sent(), len(read(t, l, topics.Webhooks()))) && unanswered(t, processes) == 0
		}, 6*time.Minute, time.Second)
		eventually(t, func() bool { return settled(t, processes, "tracking") >= len(read(t, l, topics.Events())) })
		_, lookups := byOrigin(read(t, l, topics.Webhooks()))
		assert.Positive(t, lookups, "some customers had to be looked up")
		var checker *expected.Checker
		require.EventuallyWithT(t, func(c *assert.CollectT) { // a batch that is processed again is counted twice
			checker = check(c, t, l, run)
		}, 30*time.Second, 200*time.Millisecond)
		assert.Empty(t, read(t, l, topics.DeadLetters(topology.RoleTracking)))
		assert.Empty(t, read(t, l, topics.DeadLetters(topology.RoleSMS)))
		t.Logf("%d events, %d lookups; bloomreach keeps %d events, and dropped %d duplicates",
			checker.Events(), lookups, len(l.Bloomreach.Events()), l.Bloomreach.Deduplicated())
	})
}

// compressed is longer than any recorded burst: times in bodies are before the arrival, however quick the burst is.
const compressed = 5 * time.Minute

// check compares the actual result with the expected result of the stored webhooks.
func check(c *assert.CollectT, t *testing.T, l *lab.Lab, run *histories.Run) *expected.Checker {
	t.Helper()
	topics := topology.Topics{Prefix: l.Prefix}
	arrived, wrong := run.Arrived(stored(t, read(t, l, topics.Webhooks())))
	require.Empty(c, first(wrong))
	checker := expected.NewChecker(run.Customers, func(n int) expected.Result { return expected.Arrived(run.Shop.History(n), arrived[n]) })
	for _, r := range read(t, l, topics.Events()) {
		checker.Once("event", r.Header(envelope.HeaderCEID))
		partition, err := strconv.Atoi(r.Header(envelope.HeaderRawPartition))
		require.NoError(t, err)
		offset, err := strconv.ParseInt(r.Header(envelope.HeaderRawOffset), 10, 64)
		require.NoError(t, err)
		require.NoError(t, checker.Event(r.Value, expected.Position{Partition: partition, Offset: offset}))
	}
	for _, r := range read(t, l, topics.Facts()) {
		checker.Once("fact", r.Header(envelope.HeaderCEID))
		require.NoError(t, checker.Fact(r.Value))
	}
	for _, r := range read(t, l, topics.Triggers()) {
		checker.Once(r.Header(envelope.HeaderCEType), r.Header(envelope.HeaderCEID))
	}
	for _, r := range read(t, l, topics.DeadLetters(topology.RoleTransformer)) {
		_, key, _ := strings.Cut(string(r.Key), "/")
		checker.DeadLetter(key)
	}
	tables := expected.Tables{}
	for _, r := range slices.Concat(read(t, l, topics.Customers()), read(t, l, topics.Subscriptions()), read(t, l, topics.Charges())) {
		tables.Set(string(r.Key), r.Value)
	}
	require.Empty(c, first(checker.InTheEnd(tables)))
	require.Empty(c, first(checker.Destination(kept(t, l), func(email string) any {
		customer, _ := l.Bloomreach.Customer("registered", email)
		return customer[subscriber.PropertyActive]
	})))
	return checker
}

func first(wrong []string) []string { return wrong[:min(len(wrong), 5)] }

// stored are the webhooks among raw records.
func stored(t *testing.T, records []kafka.Record) []histories.Raw {
	t.Helper()
	var all []histories.Raw
	for _, r := range records {
		if r.Header(envelope.HeaderSource) != envelope.SourceWebhook {
			continue
		}
		received, err := time.Parse(time.RFC3339Nano, r.Header(envelope.HeaderReceivedAt))
		require.NoError(t, err)
		all = append(all, histories.Raw{Topic: r.Header(envelope.HeaderRechargeTopic), Body: r.Value, Received: received})
	}
	return all
}

// kept are the events that Bloomreach keeps.
func kept(t *testing.T, l *lab.Lab) []expected.Event {
	t.Helper()
	var all []expected.Event
	text := func(e bloomreachtest.Event, property string) string {
		value, _ := e.Properties[property].(string)
		return value
	}
	for _, e := range l.Bloomreach.Events() {
		seconds, _, _ := strings.Cut(e.Timestamp, ".")
		at, err := strconv.ParseInt(seconds, 10, 64)
		require.NoError(t, err)
		all = append(all, expected.Event{
			Name: strings.TrimSpace(e.Type + " " + text(e, "status")), ID: text(e, "subscription_id") + text(e, "charge_id"),
			At: expected.Stamp(time.Unix(at, 0)), To: e.CustomerIDs["registered"],
		})
	}
	return all
}

func customersOfLoad(t *testing.T) int {
	t.Helper()
	number := os.Getenv("CUSTOMERS")
	if number == "" {
		return 100
	}
	many, err := strconv.Atoi(number)
	require.NoError(t, err)
	return many
}

// settled is the number of records that a role has finished, by its counters. Parked records are not finished.
func settled(t *testing.T, processes map[string]*lab.Process, role string) int {
	t.Helper()
	return counted(t, processes, func(labels string) bool {
		return strings.HasPrefix(labels, "rechargeflow_records_total{") && strings.Contains(labels, `role="`+role+`"`) && !strings.Contains(labels, `outcome="parked"`)
	})
}

// unanswered is the number of pending lookup requests.
func unanswered(t *testing.T, processes map[string]*lab.Process) int {
	t.Helper()
	return counted(t, processes, func(labels string) bool { return strings.HasPrefix(labels, "rechargeflow_lookups_pending{") })
}

// counted is a sum of metrics.
func counted(t *testing.T, processes map[string]*lab.Process, which func(labels string) bool) int {
	t.Helper()
	sum := 0
	for _, p := range processes {
		page, err := p.Metrics(t.Context())
		require.NoError(t, err)
		for line := range strings.Lines(page) {
			labels, value, _ := strings.Cut(line, "} ")
			if !which(labels) {
				continue
			}
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err)
			sum += int(n)
		}
	}
	return sum
}
