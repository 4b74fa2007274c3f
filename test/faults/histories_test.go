package faults_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHistories writes the histories of a shop's customers, while at each point of a transaction and of a takeover one
// transformer is killed and another becomes a zombie. It compares every event, dead letter, row and property with the expected
// result of the histories (test/histories/expected): the events so far after each round, the whole result in the end.
func TestHistories(t *testing.T) {
	parallelInSample(t)
	w := newShopSystem(t, pick(t, "CUSTOMERS", 500, 100_000))
	rounds, began := w.pairs(), time.Now()
	took := 18 * time.Second // of a round
	w.stream.pace(time.Duration(len(rounds)) * took)
	go w.stream.run(t.Context())
	for nth, r := range rounds {
		w.round(r)
		took = max(5*time.Second, time.Since(began)/time.Duration(nth+1))
		w.logf("round %d of %d: %d webhooks written, %d correct events so far", nth+1, len(rounds), w.stream.sent.Load(), w.checker.Events())
		if left := len(rounds) - nth - 1; left > 0 {
			w.stream.pace(time.Duration(left) * took)
		}
	}
	w.rest()
	w.requireAlive()
	w.logf("killed and frozen at %d points in %s; %d transformers began on a copy of another, %d without",
		len(rounds), time.Since(began).Round(time.Second), w.directories.kept, w.directories.emptied)
}

// large is the number of customers that write half a megabyte of changelog to each partition in less than half of the rounds: a
// takeover then writes its copy in more than one part.
const large = 10_000

// pair are the points of one round at which one transformer is killed and another is frozen.
type pair struct{ kill, freeze point }

// pairs have each point once on each side. The point of first owners is first, on both sides, and those that need a large changelog
// are later. The sample has one round, with random other points.
func (s *shopSystem) pairs() []pair {
	var first, early, late []point
	for _, p := range points() {
		switch p.when {
		case firstOwner:
			first = append(first, p)
		case muchToRead:
			if s.many >= large {
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

// lasting is the number of transformers that run until the test ends.
const lasting = 2

// round kills a transformer and makes another a zombie. If they are a changelog's first owners, no others run yet.
func (s *shopSystem) round(r pair) {
	s.Helper()
	killed := s.joinPoint("kill", r.kill)
	if r.kill.when == firstOwner {
		s.killedAt(killed, r.kill)
	}
	zombie := s.joinPoint("freeze", r.freeze)
	if r.kill.when != firstOwner {
		s.startLasting()
		s.killedAt(killed, r.kill)
	}
	require.Truef(s, s.reach(r.freeze, s.reachedOrEnded(zombie)) && zombie.reached(), "%s was not reached: %s", r.freeze.name, lastOf(zombie.Output()))
	s.logf("%s is frozen at %q", zombie.name, r.freeze.name)
	s.startLasting()
	s.wait(session+between(s.Rand, 1500*time.Millisecond, 4*time.Second), nil)
	require.NoError(s, zombie.Thaw())
	s.wait(between(s.Rand, time.Second, 3*time.Second), nil)
	s.checkSoFar()
	s.requireAlive()
	if s.IntN(2) == 0 {
		zombie.Kill()
	} else {
		require.NoError(s, zombie.Stop(40*time.Second), lastOf(zombie.Output()))
	}
	s.leave(zombie)
}

func (s *shopSystem) killedAt(m *member, p point) {
	s.Helper()
	require.Truef(s, s.reach(p, m.Ended()) && m.reached(), "%s was not reached: %s", p.name, lastOf(m.Output()))
	s.logf("%s was killed at %q", m.name, p.name)
	s.leave(m)
}

// startLasting starts the transformers that run until the test ends, once.
func (s *shopSystem) startLasting() {
	s.Helper()
	for ; s.lasting < lasting; s.lasting++ {
		s.joinShop(false)
	}
}

// joinPoint starts a transformer that is killed or frozen at a point.
func (s *shopSystem) joinPoint(act string, p point) *member {
	s.Helper()
	return s.joinShop(p.when == noCopy || p.when == muchToRead, fmt.Sprintf("FAULTPOINT=%s %s:%d", act, p.name, 1+s.IntN(min(p.most, 30))))
}
