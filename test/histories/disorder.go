package histories

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Disorder delays each delivery by less than within and sorts them: within that time they arrive in any order, none before its
// own time. "Ordering is not documented"; the recorded bursts (see [Action]) show none.
func Disorder(rng *rand.Rand, within time.Duration, deliveries []Delivery) []Delivery {
	later := slices.Clone(deliveries)
	for i := range later {
		later[i].Offset += delay(rng, within)
	}
	return inOrder(later)
}

// Duplicates is how many of the deliveries are duplicated: "it's possible that your application will receive the same webhook
// more than once" (https://docs.getrecharge.com/docs/webhooks-overview, by its copy in github.com/mikrdgz/shop-docs).
type Duplicates struct {
	Same  float64 // share that is duplicated with the same bytes, 0 to 1
	Other float64 // share that is duplicated with other bytes for the same resource
	Late  float64 // the part of these shares that is duplicated in each later burst
}

// Add returns the deliveries and their duplicates, each less than within later.
func (u Duplicates) Add(rng *rand.Rand, within time.Duration, deliveries []Delivery) []Delivery {
	return inOrder(append(slices.Clone(deliveries), u.again(rng, within, deliveries, 1)...))
}

// again returns the duplicates of some of the deliveries.
func (u Duplicates) again(rng *rand.Rand, within time.Duration, deliveries []Delivery, part float64) []Delivery {
	var again []Delivery
	for _, d := range deliveries {
		share := rng.Float64()
		if share >= part*(u.Same+u.Other) {
			continue
		}
		if share >= part*u.Same {
			d.noise = 1 + rng.IntN(1000)
		}
		d.Offset += delay(rng, within)
		again = append(again, d)
	}
	return again
}

// later returns duplicates of earlier bursts, spread over a burst of this length.
func (u Duplicates) later(rng *rand.Rand, lasts time.Duration, former []Delivery) []Delivery {
	again := u.again(rng, 0, former, u.Late)
	for i := range again {
		again[i].Offset = delay(rng, lasts)
	}
	return again
}

func delay(rng *rand.Rand, within time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(max(within, 1))))
}
