package analytics_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The topics answer what the shop knows.
func TestTopicsAnswer(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := newProduct(t)
			s := newShop(seed, p.webhook)
			p.people = func(id int) *person {
				return s.people[slices.IndexFunc(s.people, func(x *person) bool { return x.id == id })]
			}
			want := s.run()
			assert.Equal(t, want, p.topics.answers())
			assert.Positive(t, want.Recovered)
			assert.Positive(t, want.Skipped)
			assert.Len(t, want.Churn, 3)
			t.Logf("%d events, %d facts, %d charges, churn %v, %d recovered, %d skips", len(p.topics.events), len(p.topics.facts), len(p.topics.charges), want.Churn, want.Recovered, want.Skipped)
		})
	}
}
