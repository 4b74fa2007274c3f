// Package load generates what a shop's subscribers cause: lives in bursts as
// Recharge was recorded to deliver them, at the recorded times, with duplicates
// and disorder. It keeps an account of its own of every fact that must come out,
// made from what the bodies say and not from the product's code.
//
//	load.go     lives, and what they send
//	arrive.go   one burst, each webhook at its time
//	account.go  the facts that were told, and what is not one
//	compare.go  the account, held to events, destination and dead letters
//	ending.go   how the lives end, held to the tables and the property
package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// Options say how much and how messy.
type Options struct {
	Lives int
	Seed  uint64
	// Together is how many lives go on at the same time; 0 is one after the other.
	Together int
	// Longest is what a burst may take: a recorded one lasts up to 2.5 minutes. Its
	// first second is always as recorded; what comes later is squeezed into the rest.
	// 0 squeezes nothing.
	Longest time.Duration
	// Duplicates is the share of webhooks that are delivered twice, 0 to 1.
	Duplicates float64
	// Disorder is the share of bursts whose webhooks are late by up to a second each,
	// so that they arrive in any order.
	Disorder float64
	// LookedUp is the share of lives without included_objects. Recharge's API allows
	// two calls a second, so more than one in a hundred is not realistic.
	LookedUp float64
	// Early is the share of lives that end, or rather go on without a word, before their last burst.
	Early float64
	// API is shown what has become of a subscriber before a webhook tells of it; nil for none.
	API *rechargetest.Server
	// Now is when the last life ends; the others began before.
	Now time.Time
}

// Sender tries to deliver a webhook and says whether it was taken. One that was not is sent again, as Recharge does: it
// may have got in all the same. An error ends the load.
type Sender func(ctx context.Context, topic recharge.Topic, body []byte) (taken bool, err error)

// Load is a number of lives.
type Load struct {
	options Options
	sent    atomic.Int64
	tried   atomic.Int64
	Account *Account
}

// New prepares a load.
func New(o Options) *Load {
	return &Load{options: o, Account: newAccount()}
}

// Sent is how many webhooks were taken so far, duplicates included.
func (l *Load) Sent() int { return int(l.sent.Load()) }

// Tried is how often a webhook was sent so far: no more than these can have got in.
func (l *Load) Tried() int { return int(l.tried.Load()) }

// Run lives every life. The bursts of one come one after the other.
func (l *Load) Run(ctx context.Context, send Sender) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, l.options.Together))
	for n := range l.options.Lives {
		group.Go(func() error {
			if err := l.live(ctx, n, send); err != nil {
				return fmt.Errorf("life %d: %w", n, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// A life is told as if a burst came every eight days, the last one now.
const (
	lifetime = 60 * 24 * time.Hour
	apart    = 8 * 24 * time.Hour
)

func (l *Load) life(n int) rechargetest.Life {
	random := l.random(n)
	life := rechargetest.Life{
		Customer: n + 1, Items: 1 + random.IntN(4), Seed: l.options.Seed + uint64(n),
		Included: !l.lookedUp(n), Version: recharge.Version202111,
		Topics: append(rechargetest.RecordedTopics(), rechargetest.AssumedTopics()...),
	}
	if random.IntN(2) == 0 {
		life.Version = recharge.Version202101
	}
	return life
}

// lookedUp spreads the lives without included_objects evenly, so that even a small
// load has one.
func (l *Load) lookedUp(n int) bool {
	return l.options.LookedUp > 0 && n%int(1/l.options.LookedUp) == 0
}

func (l *Load) random(n int) *rand.Rand {
	return rand.New(rand.NewPCG(l.options.Seed, uint64(n)))
}

// live is one life, from the first checkout to the deletion.
func (l *Load) live(ctx context.Context, n int, send Sender) error {
	life, random := l.life(n), l.random(-1-n)
	at := l.options.Now.Add(-lifetime)
	kinds := l.kinds(n)
	for _, kind := range kinds {
		if err := l.arrive(ctx, life, l.mess(life.Burst(kind, at), random), l.shown(life, kind, at), send); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		life, at = life.After(kind, at), at.Add(apart)
	}
	l.Account.end(life, kinds[len(kinds)-1])
	return nil
}

// kinds are what befalls a life: all there is, or less.
func (l *Load) kinds(n int) []rechargetest.Kind {
	all, random := rechargetest.Kinds(), rand.New(rand.NewPCG(l.options.Seed+1, uint64(n)))
	if random.Float64() >= l.options.Early {
		return all
	}
	return all[:1+random.IntN(len(all)-1)]
}

// shown is what the API learns during a burst, in order: the same bodies as API version 2021-11 spells them, which it alone
// answers in, with their customer.
func (l *Load) shown(life rechargetest.Life, kind rechargetest.Kind, at time.Time) []rechargetest.Delivery {
	if l.options.API == nil {
		return nil
	}
	life.Version, life.Included = recharge.Version202111, true
	return life.Burst(kind, at)
}

// mess is a burst as it comes in: in its order or in any, some of it twice.
func (l *Load) mess(burst []rechargetest.Delivery, random *rand.Rand) []rechargetest.Delivery {
	if random.Float64() < l.options.Disorder {
		burst = rechargetest.Disorder(random.Uint64(), time.Second, burst)
	}
	return rechargetest.Duplicates(random.Uint64(), l.options.Duplicates, time.Second, burst)
}
