package conn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// TestBackoff: waits grow up to Max, and Reset starts again with First.
func TestBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{First: 100 * time.Millisecond, Max: 30 * time.Second}
		for n := range rapid.IntRange(1, 100).Draw(t, "waits") {
			ceiling := min(b.Max, b.First<<min(n, 20))
			wait := b.Next()
			assert.Positive(t, wait)
			assert.LessOrEqual(t, wait, ceiling)
		}
		b.Reset()
		assert.LessOrEqual(t, b.Next(), b.First)
	})
}
