package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
)

// A number without a country code has the consent of the number that is texted.
func TestConsentOfACustomer(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Customer("acme", "7", "c7@example.com", "(415) 555-2671")
	consentOf := func(s *service.Service) string {
		found, err := s.Customer(ctx, "acme", "7", false)
		require.NoError(t, err)
		return found.Consent
	}
	require.Eventually(t, func() bool {
		found, err := w.Service.Customer(ctx, "acme", "7", false)
		return err == nil && found.Known
	}, patience, time.Millisecond)
	assert.Equal(t, "unknown", consentOf(w.Service))
	_, err := w.OptOut(ctx, "ann", "acme", service.ConsentChange{Numbers: []string{"+14155552671"}})
	require.NoError(t, err)
	assert.Equal(t, "opted_out", consentOf(w.Service))

	w.Config.Consent = consent.NewTable(w.Config.Topics.Consent(), nil, zap.NewNop()) // as while the console starts
	starting := service.New(w.Config)
	t.Cleanup(starting.Stop)
	assert.Equal(t, "not_read", consentOf(starting))
	_, err = starting.SendTest(ctx, "ann", "acme", "charge_paid", service.TestRequest{Number: "+14155552671"})
	require.ErrorIs(t, err, service.ErrUnavailable)
}
