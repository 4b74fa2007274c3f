// Package load generates what a shop's subscribers cause: lives in bursts as
// Recharge was recorded to deliver them, with duplicates and disorder. It keeps an
// account of its own of every fact that must come out, made from what the bodies
// say and not from the product's code.
//
//	load.go     lives, and how they are sent
//	account.go  the facts they tell, and how they are compared with the events
package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
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
	// Callers send at the same time, each one life after the other.
	Callers int
	// Duplicates is the share of webhooks that are delivered twice, 0 to 1.
	Duplicates float64
	// Disorder is the share of bursts whose webhooks arrive in any order.
	Disorder float64
	// LookedUp is the share of lives without included_objects. Recharge's API allows
	// two calls a second, so more than one in a hundred is not realistic.
	LookedUp float64
	// Now is when the last life ends; the others began before.
	Now time.Time
}

// Sender delivers one webhook until it is taken.
type Sender func(ctx context.Context, topic recharge.Topic, body []byte) error

// Load is a number of lives.
type Load struct {
	options Options
	sent    atomic.Int64
	Account *Account
}

// New prepares a load. Customers lists whom the API must know.
func New(o Options) *Load {
	return &Load{options: o, Account: newAccount()}
}

// Sent is how many webhooks were taken so far, duplicates included.
func (l *Load) Sent() int { return int(l.sent.Load()) }

// Customers are the bodies that Recharge's API must answer with, by customer id.
func (l *Load) Customers() map[string][]byte {
	bodies := map[string][]byte{}
	for n := range l.options.Lives {
		if life := l.life(n); !life.Included {
			bodies[life.CustomerID()] = life.CustomerBody(1, l.options.Now.Add(-lifetime))
		}
	}
	return bodies
}

// Run sends every life, each one's webhooks one after the other.
func (l *Load) Run(ctx context.Context, send Sender) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range max(1, l.options.Callers) {
		group.Go(func() error {
			for n := int(next.Add(1)) - 1; n < l.options.Lives; n = int(next.Add(1)) - 1 {
				if err := l.live(ctx, n, send); err != nil {
					return fmt.Errorf("life %d: %w", n, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// lifetime is how long ago a life began: one burst a day and then some.
const lifetime = 60 * 24 * time.Hour

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
	for _, kind := range rechargetest.Kinds() {
		burst := life.Burst(kind, at)
		for _, d := range burst {
			l.Account.add(life, d)
		}
		for _, d := range l.arrive(burst, random) {
			if err := send(ctx, d.Topic, d.Body); err != nil {
				return err
			}
			l.sent.Add(1)
		}
		life, at = life.After(kind, at), at.Add(8*24*time.Hour)
	}
	return nil
}

// arrive is a burst as it comes in: in its order or in any, some of it twice.
func (l *Load) arrive(burst []rechargetest.Delivery, random *rand.Rand) []rechargetest.Delivery {
	arrived := slices.Clone(burst)
	if random.Float64() < l.options.Disorder {
		random.Shuffle(len(arrived), func(i, j int) { arrived[i], arrived[j] = arrived[j], arrived[i] })
	}
	for _, d := range burst {
		if random.Float64() < l.options.Duplicates {
			arrived = slices.Insert(arrived, random.IntN(len(arrived)+1), d)
		}
	}
	return arrived
}
