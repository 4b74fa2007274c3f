package faults_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// sinkSystem is a system with two stores, each with a Bloomreach of its own.
type sinkSystem struct {
	*system
	second         *load
	stores         []sinkStore
	windows        []sinkWindow
	quiet, failing []interval // what the other store is measured in
}

// sinkStore is a store, its webhooks, and what its Bloomreach received.
type sinkStore struct {
	name     string
	load     *load
	arrivals *arrivals
}

func newSinkSystem(t *testing.T, brokers *kafkatest.Cluster) *sinkSystem {
	t.Helper()
	w := newSystem(t, brokers)
	s := &sinkSystem{system: w, second: newLoad(w.lab)}
	other := bloomreachtest.New()
	t.Cleanup(other.Close)
	const name = lab.Store + "-1"
	w.load.webhook, s.second.webhook = trackedWebhook(lab.Store), trackedWebhook(name)
	w.load.rate.SetLimit(120)
	s.second.rate.SetLimit(30)
	s.stores = []sinkStore{
		{name: lab.Store, load: w.load, arrivals: newArrivals(t, w.lab.Bloomreach)}, {name: name, load: s.second, arrivals: newArrivals(t, other)},
	}
	for _, store := range s.stores {
		refusals(store.arrivals.server)
	}
	w.lab.MoreStores, w.lab.Extras, w.lab.BloomreachTimeout = 1, []string{"upcoming", "failed"}, 5*time.Second
	w.lab.BloomreachURL, w.lab.MoreBloomreachURL = s.stores[0].arrivals.url, s.stores[1].arrivals.url
	return s
}

// settle waits until the groups of both stores have read everything.
func (s *sinkSystem) settle() {
	s.Helper()
	reader, err := admin.NewLagReader(s.cluster, time.Now)
	require.NoError(s, err)
	defer reader.Close()
	s.settleGroup(reader, s.topics.Group(topology.RoleTransformer, ""), s.topics.Webhooks())
	for _, store := range s.stores {
		for _, topic := range []string{s.topics.Events(), s.topics.Facts()} {
			s.settleGroup(reader, s.topics.Group(topology.RoleTracking, store.name), topic)
		}
	}
}

// awaitArrivals waits until the webhooks of this round arrive at both destinations.
func (s *sinkSystem) awaitArrivals() {
	s.Helper()
	began := time.Now()
	for _, store := range s.stores {
		require.Eventually(s, func() bool { return store.arrivals.since(began) > 2*partitions }, time.Minute, 100*time.Millisecond, store.name)
	}
}

// checkStores compares what each Bloomreach has, and the dead letters, with the webhooks.
func (s *sinkSystem) checkStores() {
	s.Helper()
	letters := s.trackingLetters()
	for _, store := range s.stores {
		stored := map[string]int{}
		for _, e := range store.arrivals.server.Events() {
			stored[fmt.Sprint(e.Properties["charge_id"], " ", e.Properties["status"])]++
		}
		refused := letters[store.name]
		var wrong []string
		for number := range store.load.tries {
			id, charge := fmt.Sprint(number, " ", statusOf(number)), strconv.FormatInt(number, 10)
			poison := titleOf(number) != "House Blend"
			if stored[id] != 1 && !poison || stored[id] != 0 && poison || refused[charge] > 0 != poison {
				wrong = append(wrong, fmt.Sprintf("%s, title %q: %d events, %d dead letters", id, titleOf(number), stored[id], refused[charge]))
			}
			delete(stored, id)
			delete(refused, charge)
		}
		require.Emptyf(s, wrong, "%s has %d charges that are lost, doubled or refused wrongly", store.name, len(wrong))
		require.Emptyf(s, stored, "%s: events that nothing caused", store.name)
		require.Emptyf(s, refused, "%s: dead letters that nothing caused", store.name)
		s.checkRepeated(store)
	}
}

// checkRepeated counts what was sent again: of the first store only what an answer had accepted, of the other all.
func (s *sinkSystem) checkRepeated(store sinkStore) {
	s.Helper()
	all, repeated := store.arrivals.repeated()
	unanswered, byFault := 0, make([]int, len(s.windows))
	for _, r := range repeated {
		if !r.accepted {
			unanswered++
		}
		if !r.accepted && store.name == lab.Store {
			continue // its Bloomreach fails
		}
		at := slices.IndexFunc(s.windows, func(w sinkWindow) bool { return r.before.After(w.from) && r.now.Before(w.to) })
		if assert.NotEqual(s, -1, at, "%s: charge %s was sent %s after the start (accepted: %t) and again after %s, when nothing happened to the sink",
			store.name, r.charge, r.before.Sub(s.began), r.accepted, r.now.Sub(s.began)) {
			byFault[at]++
		}
	}
	for i, w := range s.windows {
		assert.LessOrEqualf(s, byFault[i], mostAgain, "%s: sent again because a sink was %s", store.name, w.name)
	}
	s.logf("%s: %d events and facts; sent again %d without an answer, %d after one; because of the sink's faults %v",
		store.name, all, unanswered, len(repeated)-unanswered, byFault)
}

var chargeIn = regexp.MustCompile(`"charge":\{"id":"(\d+)"`)

// trackingLetters counts the dead letters of each charge, by store.
func (s *sinkSystem) trackingLetters() map[string]map[string]int {
	s.Helper()
	letters := map[string]map[string]int{}
	for _, store := range s.stores {
		letters[store.name] = map[string]int{}
	}
	for r, err := range s.scan(s.topics.DeadLetters(topology.RoleTracking)) {
		require.NoError(s, err)
		found := chargeIn.FindSubmatch(r.Value)
		require.NotNil(s, found, string(r.Value))
		letters[r.Header(envelope.HeaderStore)][string(found[1])]++
	}
	return letters
}

// checkOrder checks that the events, and the facts, of a customer came in their order, and that by their timestamps all are in order.
func (s *sinkSystem) checkOrder() {
	s.Helper()
	for _, store := range s.stores {
		assert.Empty(s, store.arrivals.disorder, store.name)
		for customer := range customers {
			last := int64(0)
			for _, e := range store.arrivals.server.Timeline("registered", fmt.Sprintf("c%d@example.com", customer+1)) {
				number, err := strconv.ParseInt(fmt.Sprint(e.Properties["charge_id"]), 10, 64)
				require.NoError(s, err)
				require.Greater(s, number, last, "%s, customer %d", store.name, customer)
				last = number
			}
		}
	}
}

// slow is how long nine of ten events of the other store may take, from the answer to its webhook to their arrival, on an idle machine; twice as
// long fails. They would take as long as the failure lasts if they waited for it.
const slow = time.Second

// checkDelays compares the delays of the other store while the Bloomreach of the first fails with those before.
func (s *sinkSystem) checkDelays() {
	s.Helper()
	other := s.stores[1]
	before, meanwhile := other.delays(s.quiet), other.delays(s.failing)
	s.logf("delays of %s: before %s, while %s's Bloomreach fails %s", other.name, quantiles(before), s.stores[0].name, quantiles(meanwhile))
	require.NotEmpty(s, meanwhile)
	assert.Less(s, quantile(meanwhile, 0.9), 2*max(slow, quantile(before, 0.9)), "the other store waits")
}

// delays are those of the webhooks that were accepted within the intervals, sorted.
func (s sinkStore) delays(within []interval) (delays []time.Duration) {
	s.load.mutex.Lock()
	defer s.load.mutex.Unlock()
	s.arrivals.mutex.Lock()
	defer s.arrivals.mutex.Unlock()
	for number, at := range s.load.accepted {
		if slices.ContainsFunc(within, func(i interval) bool { return at.After(i.from) && at.Before(i.to) }) {
			delays = append(delays, s.arrivals.charges[strconv.FormatInt(number, 10)].Sub(at))
		}
	}
	slices.Sort(delays)
	return delays
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

func quantiles(sorted []time.Duration) string {
	return fmt.Sprintf("p50 %s p90 %s p99 %s max %s of %d", quantile(sorted, 0.5).Round(time.Millisecond), quantile(sorted, 0.9).Round(time.Millisecond),
		quantile(sorted, 0.99).Round(time.Millisecond), quantile(sorted, 1).Round(time.Millisecond), len(sorted))
}
