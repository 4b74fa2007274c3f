package rechargetest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Disorder delays each delivery by less than within, and sorts them: within that time they come in any order, none before
// it happened. "Ordering is not documented"; the recorded bursts (see [Kind]) show none. Equal seeds give equal disorder.
func Disorder(seed uint64, within time.Duration, deliveries []Delivery) []Delivery {
	rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // reproducible, not secret
	later := slices.Clone(deliveries)
	for i := range later {
		later[i].Offset += time.Duration(rng.Int64N(int64(max(within, 1))))
	}
	return inOrder(later)
}

// Duplicates sends a share (0 to 1) of the deliveries once more, with the same bytes, less than within later: "it's
// possible that your application will receive the same webhook more than once"
// (https://docs.getrecharge.com/docs/webhooks-overview, by its copy in github.com/mikrdgz/shop-docs). Equal seeds give
// equal duplicates.
func Duplicates(seed uint64, share float64, within time.Duration, deliveries []Delivery) []Delivery {
	rng := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // reproducible, not secret
	all := slices.Clone(deliveries)
	for _, d := range deliveries {
		if rng.Float64() < share {
			d.Offset += time.Duration(rng.Int64N(int64(max(within, 1))))
			all = append(all, d)
		}
	}
	return inOrder(all)
}

func inOrder(deliveries []Delivery) []Delivery {
	slices.SortStableFunc(deliveries, func(x, y Delivery) int { return cmp.Compare(x.Offset, y.Offset) })
	return deliveries
}
