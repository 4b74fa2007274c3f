package faults_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestTrackingFails kills the tracking sink with SIGKILL, freezes it until its session has ended, and lets another join, while the Bloomreach
// of one store fails in each way. Each event and each fact that the store tracks is accepted, and once but for counted exceptions; a
// customer's are in order; what is really refused, and nothing else, is a dead letter; the other store does not notice.
func TestTrackingFails(t *testing.T) {
	parallelInSample(t)
	brokers := kafkatest.One(t)
	s := newSinkSystem(t, &brokers)
	s.start(1)
	for nth, r := range s.sinkRounds() {
		s.logf("round %d: %s, %s", nth+1, r.failure.name, r.fault.name)
		s.round(r.failure, r.fault)
		s.checkStores()
	}
	s.requireAlive()
	s.checkOrder()
	s.checkDelays()
}

// sinkRound is a failure of Bloomreach and what happens to the sink meanwhile.
type sinkRound struct {
	failure bloomreachFailure
	fault   sinkFault
}

// sinkRounds are all pairs, some of them in the sample.
func (s *sinkSystem) sinkRounds() (rounds []sinkRound) {
	for _, failure := range bloomreachFailures() {
		for _, fault := range sinkFaults() {
			rounds = append(rounds, sinkRound{failure, fault})
		}
	}
	s.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
	return rounds[:min(pick(s.T, "ROUNDS", 2, len(rounds)), len(rounds))]
}

// round starts a failure of Bloomreach, and a fault of the sink while it lasts or as it ends.
func (s *sinkSystem) round(failure bloomreachFailure, fault sinkFault) {
	s.Helper()
	for _, l := range []*load{s.load, s.second} {
		l.start()
	}
	s.awaitArrivals()
	s.quiet = append(s.quiet, s.during(undisturbed))
	failure.begin(s.lab.Bloomreach)
	s.failing = append(s.failing, s.during(undisturbed))
	s.wait(slow, nil) // the last webhooks of that time
	window := sinkWindow{name: fault.name, from: time.Now().Add(-time.Second)}
	undo := fault.begin(s)
	if s.IntN(2) == 0 {
		s.wait(between(s.Rand, 0, session), nil)
		failure.end(s.lab.Bloomreach)
		undo()
	} else {
		undo()
		s.wait(between(s.Rand, 0, 2*time.Second), nil)
		failure.end(s.lab.Bloomreach)
	}
	window.to = time.Now().Add(session)
	s.windows = append(s.windows, window)
	for _, l := range []*load{s.load, s.second} {
		require.NoError(s, l.rest())
	}
	s.settle()
}

// undisturbed is how long nothing happens to the sink, so that the delays of the other store can be measured.
const undisturbed = 3 * time.Second

// interval is a time in which webhooks were accepted.
type interval struct{ from, to time.Time }

func (s *sinkSystem) during(d time.Duration) interval {
	from := time.Now()
	s.wait(d, nil)
	return interval{from, time.Now()}
}

// bloomreachFailure is a way in which Bloomreach fails for a while. Beside it, it always refuses single events: see refusals.
type bloomreachFailure struct {
	name       string
	begin, end func(*bloomreachtest.Server)
}

func bloomreachFailures() []bloomreachFailure {
	failure := func(name string, f bloomreachtest.Failure) bloomreachFailure {
		return bloomreachFailure{
			name:  name,
			begin: func(s *bloomreachtest.Server) { s.FailWhen(func(bloomreachtest.Command) bool { return true }, f) },
			end:   func(s *bloomreachtest.Server) { s.FailWhen(nil, bloomreachtest.Failure{}) },
		}
	}
	return []bloomreachFailure{
		failure("503", bloomreachtest.Failure{Status: http.StatusServiceUnavailable, Body: "<html>Service Unavailable</html>"}),
		failure("504 after acceptance", bloomreachtest.Failure{Status: http.StatusGatewayTimeout, Applied: true}),
		failure("429", bloomreachtest.Failure{Status: http.StatusTooManyRequests}),
		failure("429 with Retry-After", bloomreachtest.Failure{Status: http.StatusTooManyRequests, RetryAfter: "2"}),
		failure("hangs", bloomreachtest.Failure{Hang: true}),
		failure("hangs after acceptance", bloomreachtest.Failure{Hang: true, Applied: true}),
		failure("reset", bloomreachtest.Failure{Reset: true}),
		failure("reset after acceptance", bloomreachtest.Failure{Reset: true, Applied: true}),
		{
			name:  "answers without results",
			begin: func(s *bloomreachtest.Server) { s.OmitResults(true) }, end: func(s *bloomreachtest.Server) { s.OmitResults(false) },
		},
		{
			name:  "credentials refused",
			begin: func(s *bloomreachtest.Server) { s.RotateKey(bloomreachtest.KeyID, "another secret") },
			end:   func(s *bloomreachtest.Server) { s.RotateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret) },
		},
	}
}

// The titles of products that make Bloomreach, or a firewall in front of it, refuse an event.
const (
	blockedTitle = "DROP TABLE coffee"
	refusedTitle = "beans of 1970"
)

// refusals lets a server refuse single events.
func refusals(s *bloomreachtest.Server) {
	s.BlockWhen(func(body string) bool { return strings.Contains(body, blockedTitle) }, bloomreachtest.FirewallPage())
	s.RejectWhen(func(c bloomreachtest.Command) []string {
		if strings.Contains(string(c.Data), refusedTitle) {
			return []string{"Timestamp is too old"}
		}
		return nil
	})
}

// titleOf is the title of a charge's product: of a hundred events of a customer, about one is refused by a firewall and one by Bloomreach. They are
// not the same ones for all customers: if all that can be sent is refused, the sink has to wait, as for a fault of the whole project.
func titleOf(number int64) string {
	customer, nth := number/1_000_000, number%1_000_000
	switch (31*customer + nth) % 101 {
	case 7:
		return blockedTitle
	case 13:
		return refusedTitle
	}
	return "House Blend"
}

// trackedStatuses are what the webhooks of a customer are about, in turn: two are events, and two are facts that the store tracks.
func trackedStatuses() []string { return []string{"created", "upcoming", "failed", "paid"} }

func statusOf(number int64) string { return trackedStatuses()[number%4] }

// trackedWebhook is about a charge of its own, a second after the one before it of the same customer.
func trackedWebhook(store string) func(customer int, number int64, first time.Time) lab.Webhook {
	return func(customer int, number int64, first time.Time) lab.Webhook {
		at := first.Add(time.Duration(number%1_000_000) * time.Second).UTC().Format("2006-01-02T15:04:05+00:00")
		who := fmt.Sprintf(`"customer":{"id":%d,"email":"c%d@example.com","phone":"+1503555%04d","hash":"h%d"}`, customer+1, customer+1, customer+1, customer+1)
		state := map[string]string{
			"created": `"status":"queued"`, "upcoming": `"status":"queued"`, "paid": `"status":"success","processed_at":"` + at + `"`,
			"failed": `"status":"error","error_type":"CARD_DECLINED","charge_attempts":1,"retry_date":"2031-01-01"`,
		}[statusOf(number)]
		return lab.Webhook{Store: store, Topic: "charge/" + statusOf(number), Body: fmt.Appendf(nil,
			`{"charge":{"id":%d,%s,%s,"total_price":"9.99","currency":"USD","created_at":"%s","updated_at":"%s","scheduled_at":"2030-12-31","line_items":[{"title":"%s","quantity":1}]},%s}`,
			number, who, state, at, at, titleOf(number), who)}
	}
}

// sinkFault is what happens to the sink.
type sinkFault struct {
	name  string
	begin func(s *sinkSystem) (undo func())
}

func sinkFaults() []sinkFault {
	return []sinkFault{
		{name: "killed", begin: func(s *sinkSystem) func() {
			s.tracking.Kill()
			s.tracking = s.launch("tracking")
			return func() { s.wait(session+2*time.Second, nil) } // until it has the partitions
		}},
		{name: "frozen", begin: func(s *sinkSystem) func() {
			old := s.tracking
			require.NoError(s, old.Freeze())
			s.tracking = s.launch("tracking")
			return func() {
				s.wait(session+between(s.Rand, 2*time.Second, 4*time.Second), nil)
				require.NoError(s, old.Thaw())
				s.wait(between(s.Rand, time.Second, 3*time.Second), nil)
				require.NoError(s, old.Stop(40*time.Second), lastOf(old.Output()))
			}
		}},
		{name: "joined", begin: func(s *sinkSystem) func() {
			other := s.launch("tracking")
			require.NoError(s, other.AwaitReady(s.Context()))
			return func() {
				s.wait(between(s.Rand, time.Second, 3*time.Second), nil)
				if s.IntN(2) == 0 { // the one that came goes, or the one that was there
					s.tracking, other = other, s.tracking
				}
				require.NoError(s, other.Stop(40*time.Second), lastOf(other.Output()))
			}
		}},
	}
}

// sinkWindow is a time in which processes come and go, so that commands may be sent again.
type sinkWindow struct {
	name     string
	from, to time.Time
}

// mostAgain is the largest number of commands that may be sent again because of a fault although they were accepted: those of one request of each
// partition, of each of two processes. Either its offset was not committed yet, or a zombie sent it.
const mostAgain = 2 * partitions * bloomreach.MaxCommands
