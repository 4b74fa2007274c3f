package backfill_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
)

// Without a loss that the resources show there is none; what was not read is not known.
func TestLosses(t *testing.T) {
	p := backfill.Progress{StartedAt: noon(), Since: noon().Add(-90 * 24 * time.Hour), Counts: backfill.Counts{Lost: backfill.Lost{Attempts: 3}}}
	count := func(p backfill.Progress, what string, resources ...string) string {
		for _, loss := range p.Losses(resources) {
			if loss.What == what {
				return loss.Count
			}
		}
		return "there is no such kind"
	}
	const attempts, old = "failed attempts of a charge before its last one", "charges processed more than 90 days ago"
	assert.Equal(t, "at most 3", count(p, attempts, backfill.Resources()...))
	assert.Equal(t, "none", count(p, "skipped charges", "charges"))
	assert.Equal(t, "cannot be known", count(p, attempts, "customers", "subscriptions"))
	assert.Equal(t, "none", count(p, old, "charges"))
	p.Since = p.Since.Add(-time.Second)
	assert.Equal(t, "cannot be known", count(p, old, "charges"))
}
