package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// lastDays is a backfill of all resources of a shop, with facts.
func (s *shop) lastDays() backfill.Backfill {
	return backfill.Backfill{Config: s.config(), Since: noon().AddDate(0, 0, -60), Resources: backfill.Resources(), Events: true}
}

// backfill runs a backfill once, and leaves its directory.
func (s *shop) backfill() (backfill.Progress, error) {
	b := s.lastDays()
	p, err := b.Run(s.t.Context())
	require.NoError(s.t, b.Dir.Close())
	return p, err
}

// A token that lacks a scope fails at the first resource that needs it. With the scope the backfill goes on there.
func TestBackfillWithoutScope(t *testing.T) {
	s := newShop(t, 3)
	s.api.SetScopes("read_customers", "read_subscriptions")
	_, err := s.backfill()
	require.ErrorContains(t, err, "list charges: recharge api: status 403: token lacks the scope read_orders")
	var refused *recharge.APIError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Advice(), "grant read access to customers, orders and subscriptions")
	assert.Empty(t, s.slept, "a repetition does not help")

	s.api.SetScopes(rechargetest.Scopes()...)
	before := s.api.Calls()
	p, err := s.backfill()
	require.NoError(t, err)
	assert.Equal(t, 1, s.api.Calls()-before, "only charges are read")
	assert.Equal(t, []int{0, 6, 9}, []int{p.Customers, p.Subscriptions, p.Charges})
}

// A run that fails before its first page is continued with its times, or makes room for another one.
func TestBackfillFailsAtOnce(t *testing.T) {
	s := newShop(t, 3)
	s.api.FailNext(2, http.StatusUnauthorized, `{"error":"bad authentication"}`)
	_, err := s.backfill()
	require.ErrorContains(t, err, "status 401")
	b := s.lastDays()
	b.Since = b.Since.Add(time.Hour)
	p, err := b.Run(t.Context())
	require.ErrorContains(t, err, "status 401")
	require.NoError(t, b.Dir.Close())
	assert.Equal(t, noon().AddDate(0, 0, -60), p.Since)
	_, err = s.run(backfill.Import{})
	require.NoError(t, err)
}

// Pauses are at least as long as Recharge wants, and longer with each failure.
func TestPauses(t *testing.T) {
	for name, test := range map[string]struct {
		behaviour rechargetest.Behaviour
		want      []time.Duration
	}{
		"429":                 {rechargetest.Behaviour{Status: http.StatusTooManyRequests}, []time.Duration{2 * time.Second, 2 * time.Second, 4 * time.Second}},
		"429, with a time":    {rechargetest.Behaviour{Status: http.StatusTooManyRequests, RetryAfter: "3"}, []time.Duration{3 * time.Second, 3 * time.Second, 4 * time.Second}},
		"409":                 {rechargetest.Behaviour{Status: http.StatusConflict}, []time.Duration{3 * time.Second, 3 * time.Second, 4 * time.Second}},
		"503":                 {rechargetest.Behaviour{Status: http.StatusServiceUnavailable}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		"a closed connection": {rechargetest.Behaviour{Reset: true}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, 1)
			s.api.Next(3, test.behaviour)
			_, err := s.backfill()
			require.NoError(t, err)
			assert.Equal(t, test.want, s.slept)
		})
	}
}

// A backfill whose cursors are refused, and that is interrupted at any page, publishes what one in one go does, and counts each resource once.
func TestBackfillResumes(t *testing.T) {
	whole := newShop(t, 600)
	want, err := whole.backfill()
	require.NoError(t, err)
	require.Equal(t, []int{0, 900, 1800}, []int{want.Customers, want.Subscriptions, want.Charges})
	interrupted := errors.New("interrupted")
	for page := range want.Calls {
		t.Run(fmt.Sprint("page ", page), func(t *testing.T) {
			s := newShop(t, 0)
			s.api = whole.api
			b := s.lastDays()
			left := page
			b.API = failing{s, func(cursor string) error {
				if left--; left >= 0 {
					return nil
				}
				if cursor != "" { // the next run must begin the list again
					return &recharge.InvalidError{Status: http.StatusUnprocessableEntity, Message: "cursor: Invalid value"}
				}
				return interrupted
			}}
			_, err := b.Run(t.Context())
			require.NoError(t, b.Dir.Close())
			require.ErrorIs(t, err, interrupted)
			got, err := s.backfill()
			require.NoError(t, err)
			assert.Equal(t, whole.published, s.published)
			assert.Equal(t, want.Counts, got.Counts)
		})
	}
}

// failing is a shop whose lists fail.
type failing struct {
	*shop
	with func(cursor string) error
}

func (f failing) List(ctx context.Context, resource string, filters url.Values, cursor string, limit int) (recharge.Page, error) {
	if err := f.with(cursor); err != nil {
		return recharge.Page{}, err
	}
	return f.shop.List(ctx, resource, filters, cursor, limit)
}
