package customerstate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stepOf does one step and returns how many rows it removed and where the next one begins.
func stepOf(s *Store, now time.Time, committed bool) (removed int, next string) {
	tx := s.Begin(0)
	_ = tx.Expire(now) // fails for a state that can't be encoded only
	if tx.step != nil {
		removed, next = tx.step.removed, string(tx.step.next)
	}
	tx.Ended(committed)
	return removed, next
}

// A step ends once it removed enough rows. The subscriptions of a removed customer count too.
func TestAStepCountsRemovedSubscriptions(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for with, want := range map[int]int{0: 500, 19: 500, 498: 998, 9999: 10000} {
		t.Run(fmt.Sprint(with), func(t *testing.T) {
			rows := table{}
			for customer := range 600 { // the customers that no step reaches have no subscriptions
				rows[fmt.Sprintf("customer/acme/%06d", customer)] = "\x01" + splitMark + `{"deleted_at":"2020-01-01T00:00:00Z"}}`
				if customer*with > 10000 {
					continue
				}
				for id := range with {
					rows[fmt.Sprintf("subscription/acme/%06d/%d", customer, id)] = "\x01{}"
				}
			}
			store, before := rows.store(), len(rows)
			removed, _ := stepOf(store, now, true)
			assert.Equal(t, want, removed)
			assert.Len(t, rows, before-removed)
		})
	}
}

// A step reads at most 4,000 rows.
func TestAStepIsBounded(t *testing.T) {
	rows := table{}
	for customer := range 5000 {
		rows[fmt.Sprintf("emitted/acme/%06d/2029-12", customer)] = strings.Repeat("x", 8)
	}
	_, next := stepOf(rows.store(), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), true)
	assert.Equal(t, "emitted/acme/004000/2029-12", next)
}

// The first pass begins at once, and each next one half a day after the last one began. A step that was not committed is repeated.
func TestPasses(t *testing.T) {
	rows := table{}
	for customer := range 5000 {
		rows[fmt.Sprintf("customer/acme/%06d", customer)] = `{}`
	}
	store, now := rows.store(), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	const half = "customer/acme/004000"
	for _, step := range []struct {
		at        time.Duration
		committed bool
		due       bool
		next      string
	}{
		{time.Second, false, true, half},
		{0, true, true, half},
		{time.Second, false, true, ""},
		{time.Hour, true, true, ""},
		{12*time.Hour - time.Minute, true, false, ""},
		{12 * time.Hour, true, true, half},
	} {
		tx := store.Begin(0)
		require.NoError(t, tx.Expire(now.Add(step.at)))
		require.Equal(t, step.due, tx.step != nil, step.at)
		if tx.step != nil {
			assert.Equal(t, step.next, string(tx.step.next), step.at)
		}
		tx.Ended(step.committed)
	}
}
