package flow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func TestRules(t *testing.T) {
	for _, rule := range flow.Rules() {
		t.Run(string(rule.Flow), func(t *testing.T) {
			assert.Equal(t, rule, flow.RuleOf(rule.Flow))
			assert.NotEmpty(t, rule.FiredBy.Meaning())
			assert.Contains(t, flow.FiredBy(rule.FiredBy), rule.Flow)
			assert.False(t, rule.RevokedBy.Has(rule.FiredBy), "what fires it does not revoke it")
			assert.True(t, rule.Stale.On != "" || rule.Stale.After > 0, "its text becomes stale")
			for _, h := range rule.RevokedBy {
				if h != "" {
					assert.NotEmpty(t, h.Meaning())
					assert.Contains(t, flow.RevokedBy(h), rule.Flow)
				}
			}
			for _, absorbed := range rule.Absorbs {
				if absorbed.Flow != "" {
					assert.Contains(t, flow.Keys(), absorbed.Flow)
					assert.NotEqual(t, rule.Flow, absorbed.Flow)
					assert.NotEmpty(t, absorbed.Scope)
				}
			}
		})
	}
	assert.Empty(t, flow.RevokedBy(flow.Created))
	assert.Equal(t, []flow.Key{flow.UpcomingOrder, flow.ChargeWillBeRetried, flow.ChargeFailed}, flow.RevokedBy(flow.Paid))
	assert.Equal(t, flow.Rule{Flow: "unknown"}, flow.RuleOf("unknown"))
}

// The table is read for every webhook: a lookup allocates nothing but its answer.
func TestRulesDoNotAllocate(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = flow.RuleOf(flow.ChargePaid)
		_ = flow.RevokedBy(flow.Created)
	}))
}
