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
	"github.com/rechargeflow/rechargeflow/test/lab"
	"github.com/rechargeflow/rechargeflow/test/load"
)

// TestLoad sends many lives, in bursts as they were recorded, with duplicates and
// disorder, and holds recharge.events, what Bloomreach keeps and the dead letters
// to the generator's own account. LIVES says how many; `make load` sends more.
func TestLoad(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		generator := load.New(load.Options{
			Lives: lives(t), Seed: 1, Together: 100, Longest: 2 * time.Second, Duplicates: 0.05, Disorder: 0.5, LookedUp: 0.01,
			Now: time.Now().UTC().Truncate(time.Second),
		})
		for id, body := range generator.Customers() {
			l.API.PutCustomer(id, body)
		}
		l.API.LimitRate(rechargetest.StandardBucket())
		began := time.Now()
		require.NoError(t, generator.Run(t.Context(), func(ctx context.Context, topic recharge.Topic, body []byte) (bool, error) {
			return try(ctx, l, lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
		}))
		t.Logf("%d lives, %d webhooks in %d tries, %d facts, %d dead letters, sent in %s",
			lives(t), generator.Sent(), generator.Tried(), generator.Account.Len(), generator.Account.Dead(), time.Since(began).Round(time.Millisecond))
		topics := pipeline.Topics{Prefix: l.Prefix}
		require.Eventually(t, func() bool { return settled(t, processes, "transformer") >= generator.Sent() }, 4*time.Minute, 200*time.Millisecond)
		raw := len(read(t, l, topics.Webhooks()))
		assert.GreaterOrEqual(t, raw, generator.Sent())
		assert.LessOrEqual(t, raw, generator.Tried(), "a webhook without an answer may have got in")
		require.Eventually(t, func() bool { return settled(t, processes, "transformer") >= raw }, time.Minute, 200*time.Millisecond)
		agree(t, func() error { return generator.Account.Compare(values(read(t, l, topics.Events()))) })
		agree(t, func() error {
			return generator.Account.CompareDead(deadLetters(read(t, l, topics.DeadLetters(pipeline.RoleTransformer))))
		})
		assert.Positive(t, l.API.Calls(), "some lives had to be looked up")

		eventually(t, func() bool { return settled(t, processes, "tracking") >= len(read(t, l, topics.Events())) })
		agree(t, func() error { return generator.Account.CompareAccepted(l.Bloomreach.Events()) })
		assert.Empty(t, read(t, l, topics.DeadLetters(pipeline.RoleTracking)))
		assert.Empty(t, read(t, l, topics.DeadLetters(pipeline.RoleSMS)))
		t.Logf("bloomreach keeps %d events, and dropped %d repetitions", len(l.Bloomreach.Events()), l.Bloomreach.Deduplicated())
	})
}

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

// settled adds up the records that a role has given a fate, from the counters.
func settled(t *testing.T, processes map[string]*lab.Process, role string) int {
	t.Helper()
	sum := 0
	for _, p := range processes {
		page, err := p.Metrics(t.Context())
		require.NoError(t, err)
		for line := range strings.Lines(page) {
			labels, value, _ := strings.Cut(line, "} ")
			if !strings.HasPrefix(labels, "rechargeflow_records_total{") || !strings.Contains(labels, `role="`+role+`"`) {
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

func deadLetters(records []kafka.Record) []load.DeadLetter {
	letters := make([]load.DeadLetter, len(records))
	for i, r := range records {
		letters[i] = load.DeadLetter{Topic: r.Header(pipeline.HeaderTopic), Body: r.Value}
	}
	return letters
}
