package story_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// The clock of the process before and after the outage: three days lie between.
const clockBefore, clockAfter = -24 * time.Hour, 48 * time.Hour

// outages is how many seeds TestOutage runs, OUTAGES of the environment.
func outages(t *testing.T) uint64 {
	t.Helper()
	given := os.Getenv("OUTAGES")
	if given == "" {
		return 2
	}
	n, err := strconv.ParseUint(given, 10, 64)
	require.NoError(t, err)
	return n
}

// TestOutage stops the gateway for three days, in which Recharge deletes the registrations of webhooks that it can't deliver. Afterwards the
// webhooks are registered again, and a backfill runs while new ones and repeated ones arrive. It brings each fact once that Recharge's
// resources still show, and texts nobody; tables and properties are what Recharge shows.
func TestOutage(t *testing.T) {
	n := outages(t)
	for seed := uint64(0); seed < n; seed += 2 {
		atOnce(t, map[string]func(*testing.T){
			fmt.Sprint("seed ", seed):   func(t *testing.T) { outage(t, seed) },
			fmt.Sprint("seed ", seed+1): func(t *testing.T) { outage(t, seed+1) },
		})
	}
}

func outage(t *testing.T, seed uint64) {
	t.Helper()
	l := newLab(t, "subscription_started", "subscription_canceled", "charge_paid", "charge_will_be_retried")
	l.WebhookURL = "http://" + l.Gateway
	s := simulate(t, l, seed)

	p := startAt(t, l, clockBefore)
	eventually(t, func() bool { return s.registered() > 20 })
	s.before(l.Now())
	s.send(l.Now())
	settledAll(t, l, p, 0)
	processed := len(read(t, l, topology.Topics{Prefix: l.Prefix}.Webhooks()))
	stop(t, map[string]*lab.Process{"": p})
	began := l.Now()

	s.during(began, began.Add(clockAfter-clockBefore))
	gone := len(s.outbox.GivenUp())
	require.Greater(t, gone, 5, "registrations are deleted")
	require.NotEmpty(t, s.outbox.Lost())

	p = startAt(t, l, clockAfter)
	restored(t, s, p, gone)
	since := began.Add(-time.Hour)
	s.backfillAmongWebhooks(since)
	settledAll(t, l, p, processed)
	s.compareFacts(since)
	s.checkTriggers()

	topics := topology.Topics{Prefix: l.Prefix}
	before := len(read(t, l, topics.Events())) + len(read(t, l, topics.Facts()))
	fetch(t, l, "backfill", "--emit-events", "--since", since.UTC().Format(time.RFC3339))
	settledAll(t, l, p, processed)
	assert.Len(t, append(read(t, l, topics.Events()), read(t, l, topics.Facts())...), before, "another backfill has no effect")

	fetch(t, l, "import", "--reconcile")
	settledAll(t, l, p, processed)
	want := rowsShown(t, s.tables())
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, want, s.rows()) }, 30*time.Second, time.Second)
	s.checkProperties()
	stop(t, map[string]*lab.Process{"": p})
}

// startAt starts the process, whose clock and Recharge's are moved.
func startAt(t *testing.T, l *lab.Lab, offset time.Duration) *lab.Process {
	t.Helper()
	l.ClockOffset = offset
	l.API.SetClock(func() time.Time { return time.Now().Add(offset) })
	return start(t, l)
}

// restored waits until the webhooks are registered again, as metrics and log say.
func restored(t *testing.T, s *simulated, p *lab.Process, gone int) {
	t.Helper()
	metric := fmt.Sprintf("rechargeflow_registrations_restored_total{status=\"missing\",store=%q} %d\n", lab.Store, gone)
	eventually(t, func() bool {
		page, err := p.Metrics(t.Context())
		require.NoError(t, err)
		return strings.Contains(page, metric) && strings.Contains(page, fmt.Sprintf("rechargeflow_registrations{status=\"missing\",store=%q} 0\n", lab.Store))
	})
	logged := 0
	for _, line := range p.Lines() {
		if line.Message == "webhook registration was missing or wrong, restored" {
			logged++
		}
	}
	assert.Equal(t, gone, logged)
	for _, w := range s.API.Webhooks() {
		s.outbox.Register(w.Topic)
	}
}

// settledAll waits until a process has finished all records but those that another one has.
func settledAll(t *testing.T, l *lab.Lab, p *lab.Process, others int) {
	t.Helper()
	processes, topics := map[string]*lab.Process{"": p}, topology.Topics{Prefix: l.Prefix}
	eventually(t, func() bool {
		return settled(t, processes, "transformer") >= len(read(t, l, topics.Webhooks()))-others && unanswered(t, processes) == 0
	})
}

// backfillAmongWebhooks runs a backfill while new webhooks, and what Recharge repeats, are sent.
func (s *simulated) backfillAmongWebhooks(since time.Time) {
	s.after(s.Now().Add(-5 * time.Minute))
	s.API.Next(3, rechargetest.Behaviour{Slow: 100 * time.Millisecond})
	before, sent := len(s.accepted), make(chan struct{})
	go func() {
		defer close(sent)
		s.send(s.Now().Add(rechargetest.TryWindow))
	}()
	out := fetch(s.t, s.Lab, "backfill", "--emit-events", "--since", since.UTC().Format(time.RFC3339))
	<-sent
	require.Contains(s.t, out, "what can't be brought back:\n  deleted customers, subscriptions and charges ")
	require.Greater(s.t, len(s.accepted), before)
	s.t.Logf("%d customers, %d webhooks accepted, %d of them while the backfill ran, %d lost\n%s", len(s.customers), len(s.accepted), len(s.accepted)-before, len(s.outbox.Lost()), out)
}

// fetch runs a command that reads Recharge's API, and returns what it prints.
func fetch(t *testing.T, l *lab.Lab, words ...string) string {
	t.Helper()
	out, code := command(t, l, append(words, "--rate", "1000", "--dir", filepath.Join(t.TempDir(), "progress"))...)
	require.Zero(t, code, out)
	return out
}

// compareFacts compares what was emitted with the accepted webhooks and what Recharge shows.
func (s *simulated) compareFacts(since time.Time) {
	want, topics := moments{}, topology.Topics{Prefix: s.Prefix}
	for _, d := range s.accepted {
		want.happened(s.t, d)
	}
	accepted := len(want)
	for _, document := range s.shows() {
		want.shown(s.t, document, since)
	}
	require.Greater(s.t, len(want), accepted, "something was lost")
	s.t.Logf("%d facts of accepted webhooks, %d more that Recharge shows", accepted, len(want)-accepted)
	require.EventuallyWithT(s.t, func(c *assert.CollectT) {
		assert.Equal(c, want, emitted(s.t, slices.Concat(read(s.t, s.Lab, topics.Events()), read(s.t, s.Lab, topics.Facts()))))
	}, 30*time.Second, time.Second)
	for _, r := range read(s.t, s.Lab, topics.DeadLetters(topology.RoleTransformer)) {
		assert.Equal(s.t, lab.Store+"/"+s.customers[0].ID(), string(r.Key), "%s", r.Value)
	}
}

// checkTriggers checks that texts follow from webhooks only.
func (s *simulated) checkTriggers() {
	topics := topology.Topics{Prefix: s.Prefix}
	sources := map[string]string{}
	for _, r := range read(s.t, s.Lab, topics.Webhooks()) {
		sources[fmt.Sprint(r.Partition, "/", r.Offset)] = r.Header(envelope.HeaderSource)
	}
	triggers := 0
	for _, r := range read(s.t, s.Lab, topics.Triggers()) {
		if r.Header(envelope.HeaderCEType) == envelope.TypeRevocation {
			continue
		}
		triggers++
		assert.Equal(s.t, envelope.SourceWebhook, sources[r.Header(envelope.HeaderRawPartition)+"/"+r.Header(envelope.HeaderRawOffset)], "%s", r.Value)
	}
	assert.Positive(s.t, triggers)
}

// checkProperties compares the property of each customer's profile with what Recharge shows.
func (s *simulated) checkProperties() {
	for path, document := range s.shows() {
		if !strings.HasPrefix(path, "customers/") {
			continue
		}
		c := objectOf(s.t, document).at("customer")
		eventually(s.t, func() bool {
			properties, _ := s.Bloomreach.Customer("registered", c.text("email"))
			return properties["recharge_subscription_active"] == (c.text("subscriptions_active_count") != "0")
		})
	}
}
