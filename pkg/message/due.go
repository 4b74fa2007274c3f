package message

import (
	"maps"
	"sync"
	"time"
)

// Due is when the next text of a store is due, by partition. A store without planned texts has none. It saves reading the index of each
// store in each transaction.
type Due struct {
	mutex      sync.Mutex
	partitions map[int]DueTimes
}

// Restart forgets what is known of a partition, and makes stores due at once.
func (d *Due) Restart(partition int, stores []string) {
	times := DueTimes{}
	for _, store := range stores {
		times[store] = time.Time{}
	}
	d.Update(partition, times)
}

// Of returns a copy of a partition's times.
func (d *Due) Of(partition int) DueTimes {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	times := maps.Clone(d.partitions[partition])
	if times == nil {
		times = DueTimes{}
	}
	return times
}

// Update replaces the times of a partition; nil changes nothing.
func (d *Due) Update(partition int, times DueTimes) {
	if times == nil {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.partitions == nil {
		d.partitions = map[int]DueTimes{}
	}
	d.partitions[partition] = times
}

// DueTimes is when the next text of each store is due; a zero time is at once.
type DueTimes map[string]time.Time

// Add notes that a text of a store is due at a time, if that is earlier than what is known. A zero time is none.
func (t DueTimes) Add(store string, at time.Time) {
	if known, found := t[store]; !at.IsZero() && (!found || at.Before(known)) {
		t[store] = at
	}
}
