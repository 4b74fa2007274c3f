package service_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

func TestWhy(t *testing.T) {
	assert.Equal(t, "the number has opted out", service.Why(reason.OptedOut))
	assert.Equal(t, "bot click", service.Why(reason.BotClick), "a reason without words is its own name")
	for _, r := range reason.OfDeadLetters() {
		assert.NotContains(t, service.Why(r), "_")
		assert.Contains(t, service.Why(r), " ", "%s has words", r)
	}
}
