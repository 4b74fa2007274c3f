package story_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/test/lab"
	"github.com/rechargeflow/rechargeflow/test/load"
)

// TestLoad sends many lives, in bursts as they were recorded, with duplicates and
// disorder, and holds recharge.events, what Bloomreach keeps, the dead letters and,
// in the end, the tables and the property to the generator's own account. LIVES says how many; `make load` sends more.
func TestLoad(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		generator := load.New(load.Options{
			Lives: lives(t), Seed: 1, Together: 100, Longest: 2 * time.Second, Duplicates: 0.05, Disorder: 0.5, LookedUp: 0.01,
			Early: 0.5, API: l.API,
			Now: time.Now().UTC().Truncate(time.Second).Add(-squeezed),
		})
		l.API.LimitRate(rechargetest.StandardBucket())
		began := time.Now()
		require.NoError(t, generator.Run(t.Context(), func(ctx context.Context, topic recharge.Topic, body []byte) (bool, error) {
			return try(ctx, l, lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
		}))
		t.Logf("%d lives, %d webhooks in %d tries, %d facts, %d dead letters, sent in %s",
			lives(t), generator.Sent(), generator.Tried(), generator.Account.Len(), generator.Account.Dead(), time.Since(began).Round(time.Millisecond))
		topics := pipeline.Topics{Prefix: l.Prefix}
		require.Eventually(t, func() bool {
			return settled(t, processes, "transformer") >= max(generator.Sent(), len(read(t, l, topics.Webhooks()))) && unanswered(t, processes) == 0
		}, 6*time.Minute, time.Second)
		webhooks, lookups := byOrigin(read(t, l, topics.Webhooks()))
		assert.GreaterOrEqual(t, webhooks, generator.Sent())
		assert.LessOrEqual(t, webhooks, generator.Tried(), "a webhook without an answer may have got in")
		assert.Positive(t, lookups, "some lives had to be looked up")
		agree(t, func() error { return generator.Account.Compare(values(read(t, l, topics.Events()))) })
		agree(t, func() error {
			return generator.Account.CompareDead(deadLetters(read(t, l, topics.DeadLetters(pipeline.RoleTransformer))))
		})

		eventually(t, func() bool { return settled(t, processes, "tracking") >= len(read(t, l, topics.Events())) })
		agree(t, func() error { return generator.Account.CompareAccepted(l.Bloomreach.Events()) })
		agree(t, func() error {
			return generator.Account.CompareEnds(load.Tables{Customers: rows(read(t, l, topics.Customers())), Subscriptions: rows(read(t, l, topics.Subscriptions()))}, func(email string) any {
				customer, _ := l.Bloomreach.Customer("registered", email)
				return customer[subscriber.PropertyActive]
			})
		})
		assert.Empty(t, read(t, l, topics.DeadLetters(pipeline.RoleTracking)))
		assert.Empty(t, read(t, l, topics.DeadLetters(pipeline.RoleSMS)))
		t.Logf("%d lookups; bloomreach keeps %d events, and dropped %d repetitions", lookups, len(l.Bloomreach.Events()), l.Bloomreach.Deduplicated())
	})
}

// squeezed is longer than any burst was recorded to last: what a body tells lies before its arrival, however quick the burst is.
const squeezed = 5 * time.Minute

// agree waits for a comparison to find nothing wrong: a batch that is worked on again settles twice.
func agree(t *testing.T, compare func() error) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { require.NoError(c, compare()) }, 30*time.Second, 200*time.Millisecond)
}

func lives(t *testing.T) int {
	t.Helper()
	asked := os.Getenv("LIVES")
	if asked == "" {
		return 100
	}
	lives, err := strconv.Atoi(asked)
	require.NoError(t, err)
	return lives
}

// settled adds up the records that a role has given a fate, from the counters. Those that wait have none yet.
func settled(t *testing.T, processes map[string]*lab.Process, role string) int {
	t.Helper()
	return counted(t, processes, func(labels string) bool {
		return strings.HasPrefix(labels, "rechargeflow_records_total{") && strings.Contains(labels, `role="`+role+`"`) && !strings.Contains(labels, `outcome="waiting"`)
	})
}

// unanswered is how many questions to the API have no answer yet.
func unanswered(t *testing.T, processes map[string]*lab.Process) int {
	t.Helper()
	return counted(t, processes, func(labels string) bool { return strings.HasPrefix(labels, "rechargeflow_lookups_pending{") })
}

// counted adds up metrics.
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

func values(records []kafka.Record) [][]byte {
	values := make([][]byte, len(records))
	for i, r := range records {
		values[i] = r.Value
	}
	return values
}

func rows(records []kafka.Record) []load.Row {
	rows := make([]load.Row, len(records))
	for i, r := range records {
		rows[i] = load.Row{Key: string(r.Key), Value: r.Value}
	}
	return rows
}

func deadLetters(records []kafka.Record) []load.DeadLetter {
	letters := make([]load.DeadLetter, len(records))
	for i, r := range records {
		letters[i] = load.DeadLetter{Topic: r.Header(pipeline.HeaderTopic), Body: r.Value}
	}
	return letters
}
