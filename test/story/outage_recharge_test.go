package story_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// simulated is Recharge around an outage: customers, what the API shows of them, and the webhooks of the topics that are registered, with
// Recharge's retries until a registration is deleted.
type simulated struct {
	*lab.Lab

	t         *testing.T
	rng       *rand.Rand
	outbox    *rechargetest.Outbox
	client    *http.Client
	customers []*subscribed
	accepted  []rechargetest.Delivery
}

// subscribed is a customer, and what the API shows of them.
type subscribed struct {
	*histories.Account

	canceled, erased bool
	shown            map[string][]byte // at the API
	revenue          map[string][]byte // paid charges of an erased customer, which the table keeps
}

func simulate(t *testing.T, l *lab.Lab, seed uint64) *simulated {
	t.Helper()
	s := &simulated{
		Lab: l, t: t, rng: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // reproducible
		outbox: &rechargetest.Outbox{OnGiveUp: l.API.DropWebhooks}, client: &http.Client{},
	}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// newcomer is a customer who has a first checkout at a time.
func (s *simulated) newcomer(at time.Time) *subscribed {
	of := histories.Customer{
		Number: 100 + len(s.customers), Items: 1 + s.rng.IntN(3), Included: true, Seed: s.rng.Uint64(),
		Topics: append(append(histories.RecordedTopics(), histories.AssumedTopics()...), "charge/refunded"),
	}
	c := &subscribed{Account: of.Open(), revenue: map[string][]byte{}}
	s.customers = append(s.customers, c)
	s.act(c, histories.FirstCheckout, at)
	return c
}

// act changes what the API shows, and adds the webhooks of it that are registered, some of them twice and in another order.
func (s *simulated) act(c *subscribed, action histories.Action, at time.Time) {
	burst := c.Burst(action, at)
	shown := c.Shown()
	c.canceled = action == histories.Cancellation || c.canceled && action != histories.Reactivation
	c.erased = c.erased || action == histories.Erasure
	for path, document := range c.shown {
		if shown[path] == nil {
			resource, id, _ := strings.Cut(path, "/")
			s.API.Remove(resource, id)
			if c.erased && strings.Contains(string(document), `"processed_at":"`) {
				c.revenue[path] = document
			}
		}
	}
	for _, document := range shown {
		require.NoError(s.t, s.API.Put(document))
	}
	c.shown = shown
	burst = histories.Disorder(s.rng, time.Second, histories.Duplicates{Same: 0.05, Other: 0.03}.Add(s.rng, time.Second, burst))
	for _, d := range histories.Encoded(burst) {
		if s.address(d.Topic) != "" {
			s.outbox.Add(at, d)
		}
	}
}

// address is that of a topic's registration, "" for none.
func (s *simulated) address(topic recharge.Topic) string {
	registered := s.API.Webhooks()
	at := slices.IndexFunc(registered, func(w rechargetest.Webhook) bool { return w.Topic == topic })
	if at < 0 {
		return ""
	}
	return registered[at].Address
}

// send sends what is due until a time, and what is repeated until then.
func (s *simulated) send(until time.Time) {
	for next, some := s.outbox.Next(); some && !next.After(until); next, some = s.outbox.Next() {
		for _, try := range s.outbox.Due(next) {
			status := 0
			if address := s.address(try.Delivery.Topic); address != "" {
				status, _ = rechargetest.Post(s.t.Context(), s.client, address, lab.Secret, s.Now(), try.Delivery)
			}
			if status == http.StatusOK {
				s.accepted = append(s.accepted, try.Delivery)
			}
			s.outbox.Answered(try, status, next)
		}
	}
}

// some is an action that a customer can take now.
func (s *simulated) some(c *subscribed) histories.Action {
	actions := []histories.Action{
		histories.Renewal, histories.Cancellation, histories.Swap, histories.DateMoved, histories.Change, histories.Failure, histories.Refund,
		histories.Relocation, histories.Requeueing, histories.Upcoming, histories.DeleteOne,
	}
	if c.canceled {
		actions = []histories.Action{histories.Reactivation, histories.Refund, histories.Change}
	}
	return actions[s.rng.IntN(len(actions))]
}

// before are customers and their actions within the day before a time.
func (s *simulated) before(end time.Time) {
	for range 8 {
		c := s.newcomer(end.Add(-20*time.Hour + time.Duration(s.rng.IntN(600))*time.Minute))
		if s.rng.IntN(2) == 0 {
			s.act(c, s.some(c), end.Add(-9*time.Hour+time.Duration(s.rng.IntN(500))*time.Minute))
		}
	}
}

// during is what happens in an outage, in order of time; nothing of it can be delivered.
func (s *simulated) during(began, end time.Time) {
	slot := (end.Sub(began) - 10*time.Minute) / 30
	for i := range 30 {
		at := began.Add(time.Duration(i)*slot + time.Duration(s.rng.Int64N(int64(slot/2))))
		s.send(at)
		switch c := s.customers[1+s.rng.IntN(len(s.customers)-1)]; {
		case i == 20:
			s.act(s.customers[0], histories.Erasure, at)
		case i%12 == 5:
			s.newcomer(at)
		case i == 2: // one fails and is moved later, so that the attempt is not what changed last
			s.act(s.customers[1], histories.Failure, at)
		case i == 28:
			s.act(s.customers[1], histories.Relocation, at)
		case c == s.customers[1]:
		case i == 10: // one whose charge is deleted
			s.act(c, histories.Requeueing, at)
		default:
			s.act(c, s.some(c), at)
		}
	}
	s.send(end)
}

// after is what happens at a time after an outage, while webhooks are delivered again.
func (s *simulated) after(now time.Time) {
	s.newcomer(now)
	for _, c := range s.customers[1 : len(s.customers)-1] {
		if s.rng.IntN(2) == 0 {
			s.act(c, s.some(c), now)
		}
	}
}

// shows are the documents that the API shows, by path.
func (s *simulated) shows() map[string][]byte {
	all := map[string][]byte{}
	for _, c := range s.customers {
		maps.Copy(all, c.shown)
	}
	return all
}

// tables are the documents that the tables have rows of.
func (s *simulated) tables() map[string][]byte {
	all := s.shows()
	for _, c := range s.customers {
		maps.Copy(all, c.revenue)
	}
	return all
}

// registered counts the registrations of topics that are sent.
func (s *simulated) registered() int { return len(s.API.Webhooks()) }
