package lives

import (
	"slices"
	"time"
)

// How much of what comes in is told once more: the same bytes, or others that tell the same.
const (
	again      = 0.04
	otherBytes = 0.03
)

// mess is a burst as it comes in: in any order half of the time, some of it twice, later in the burst or with the next.
func (t *teller) mess(burst []Delivery) []Delivery {
	shuffled := t.kind != Forgotten || burst[0].Topic != "customer/deleted"
	if shuffled && t.IntN(2) == 0 {
		t.Shuffle(len(burst), func(i, j int) { burst[i], burst[j] = burst[j], burst[i] })
	}
	came := t.twice(t.twice(burst, burst, 1), t.past, 0.1)
	return t.received(came)
}

// twice adds a share of those told to what comes in.
func (t *teller) twice(came, told []Delivery, share float64) []Delivery {
	came = slices.Clip(came)
	for _, d := range told {
		switch roll := t.Float64() / share; {
		case roll < again:
			came = append(came, d)
		case roll < again+otherBytes:
			d.noise = 1 + t.IntN(1000)
			came = append(came, d)
		}
	}
	return came
}

// received gives each its time of receipt, in order.
func (t *teller) received(burst []Delivery) []Delivery {
	at := t.now.Add(2 * time.Second)
	came := make([]Delivery, len(burst))
	for i, d := range burst {
		at = at.Add(time.Duration(1+t.IntN(200)) * time.Millisecond)
		d.Received = at
		came[i] = d
	}
	return came
}
