package faults_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLives lets a whole shop live, customer by customer, while at each point of a transaction and of a takeover one
// transformer is killed and another becomes a zombie. It holds every event, dead letter, row and flag to a reckoning of its
// own (test/lives): what came so far after each round, all of it in the end.
func TestLives(t *testing.T) {
	together(t)
	w := newShopWorld(t, pick(t, "CUSTOMERS", 500, 100_000))
	rounds, began := w.pairs(), time.Now()
	took := 18 * time.Second // of a round
	w.stream.pace(time.Duration(len(rounds)) * took)
	go w.stream.run(t.Context())
	for nth, r := range rounds {
		w.round(r)
		took = max(5*time.Second, time.Since(began)/time.Duration(nth+1))
		w.say("round %d of %d: %d webhooks written, %d events right so far", nth+1, len(rounds), w.stream.sent.Load(), w.watch.Events())
		if left := len(rounds) - nth - 1; left > 0 {
			w.stream.pace(time.Duration(left) * took)
		}
	}
	w.rest()
	w.alive()
	w.say("%d points killed and frozen at in %s; %d transformers began on a copy that was there, %d without",
		len(rounds), time.Since(began).Round(time.Second), w.folders.kept, w.folders.emptied)
}

// much is how many customers leave half a megabyte of changelog in each partition before half of the rounds are over: a
// takeover that reads it writes it down in more than one part.
const much = 10_000

// pair is where one transformer is killed and where another is frozen, in one round.
type pair struct{ kill, freeze point }

// pairs have each point once on each side. That of first owners comes first, on both sides; what needs much to read later.
// The sample has one round, of any other points.
func (s *shopWorld) pairs() []pair {
	var first, early, late []point
	for _, p := range points() {
		switch p.when {
		case firstOwner:
			first = append(first, p)
		case muchToRead:
			if s.many >= much {
				late = append(late, p)
			}
		default:
			early = append(early, p)
		}
	}
	s.Shuffle(len(early), func(i, j int) { early[i], early[j] = early[j], early[i] })
	if !whole() {
		return []pair{{early[0], early[1]}}
	}
	kill := slices.Concat(first, early[:len(early)/2], late, early[len(early)/2:])
	s.Shuffle(len(early), func(i, j int) { early[i], early[j] = early[j], early[i] })
	freeze := slices.Concat(first, early[:len(early)/2+1], late, early[len(early)/2+1:])
	pairs := make([]pair, len(kill))
	for i := range kill {
		pairs[i] = pair{kill[i], freeze[i]}
	}
	return pairs[:pick(s.T, "STEPS", 1, len(pairs))]
}

// lasting is how many transformers go on as long as the test does.
const lasting = 2

// round kills a transformer and makes another a zombie. Where they are a changelog's first owners there are no others yet.
func (s *shopWorld) round(r pair) {
	s.Helper()
	killed := s.joinPoint("kill", r.kill)
	if r.kill.when == firstOwner {
		s.killedAt(killed, r.kill)
	}
	zombie := s.joinPoint("freeze", r.freeze)
	if r.kill.when != firstOwner {
		s.steady()
		s.killedAt(killed, r.kill)
	}
	require.Truef(s, s.reach(r.freeze, s.saw(zombie)) && zombie.reached(), "%s was not reached: %s", r.freeze.name, lastOf(zombie.Output()))
	s.say("%s stands still at %q", zombie.name, r.freeze.name)
	s.steady()
	s.wait(session+between(s.Rand, 1500*time.Millisecond, 4*time.Second), nil)
	require.NoError(s, zombie.Thaw())
	s.wait(between(s.Rand, time.Second, 3*time.Second), nil)
	s.look()
	s.alive()
	if s.IntN(2) == 0 {
		zombie.Kill()
	} else {
		require.NoError(s, zombie.Stop(40*time.Second), lastOf(zombie.Output()))
	}
	s.leave(zombie)
}

func (s *shopWorld) killedAt(m *member, p point) {
	s.Helper()
	require.Truef(s, s.reach(p, m.Ended()) && m.reached(), "%s was not reached: %s", p.name, lastOf(m.Output()))
	s.say("%s ended at %q", m.name, p.name)
	s.leave(m)
}

// steady starts those that go on, once.
func (s *shopWorld) steady() {
	s.Helper()
	for ; s.lasting < lasting; s.lasting++ {
		s.joinShop(false)
	}
}

// joinPoint starts a transformer that ends or stands still when it gets to a point.
func (s *shopWorld) joinPoint(act string, p point) *member {
	s.Helper()
	return s.joinShop(p.when == noCopy || p.when == muchToRead, fmt.Sprintf("FAULTPOINT=%s %s:%d", act, p.name, 1+s.IntN(min(p.most, 30))))
}
