package sweep_test

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sweep"
)

// numbered are so many rows.
type numbered int

// ScanFrom yields them.
func (n numbered) ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for i := range int(n) {
			if key := fmt.Appendf(nil, "%s%06d", prefix, i); string(key) >= string(from) && !yield(key, nil) {
				return
			}
		}
	}
}

// A step ends when it removed enough, and not when it found so many rows that were past their age: with each may go others.
func TestAStepCountsWhatItRemoves(t *testing.T) {
	for removes, want := range map[int][]int{0: {4000, 1000}, 1: {500, 500}, 20: {25, 25}, 499: {2, 2}, 10000: {1, 1}} {
		t.Run(fmt.Sprint(removes), func(t *testing.T) {
			var s sweep.Sweeps
			for _, rows := range want {
				step, due := s.Of(3).Due(time.Unix(0, 0))
				require.True(t, due)
				seen := 0
				step.Walk(numbered(5000), []string{"a/"}, func(_, _ []byte) int { seen++; return removes })
				assert.Equal(t, rows, seen)
				step.Done()
			}
		})
	}
}

// A pass begins at once, and the next one half a day after it did; a step that was not done is taken again.
func TestPasses(t *testing.T) {
	var s sweep.Sweeps
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	step := func(at time.Time) (first string) {
		next, due := s.Of(0).Due(at)
		if !due {
			return ""
		}
		next.Walk(numbered(5000), []string{"a/"}, func(key, _ []byte) int {
			if first == "" {
				first = string(key)
			}
			return 0
		})
		if at.Second() == 0 {
			next.Done()
		}
		return first
	}
	assert.Equal(t, "a/000000", step(now.Add(time.Second)))
	assert.Equal(t, "a/000000", step(now))
	assert.Equal(t, "a/004000", step(now.Add(time.Second)))
	assert.Equal(t, "a/004000", step(now.Add(time.Hour)))
	assert.Empty(t, step(now.Add(12*time.Hour-time.Minute)))
	assert.Equal(t, "a/000000", step(now.Add(12*time.Hour)))
}
