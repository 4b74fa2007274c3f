package backfill_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func known(ids ...string) func(context.Context) iter.Seq2[string, error] {
	return func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, id := range ids {
				if !yield(id, nil) {
					return
				}
			}
		}
	}
}

// A customer whom Recharge does not know any more is deleted, unless there are suspiciously many.
func TestVanished(t *testing.T) {
	s := newShop(t, 3)
	p, err := s.run(backfill.Import{Known: known("1", "2", "99")})
	require.NoError(t, err)
	assert.Equal(t, 1, p.Vanished)
	assert.Equal(t, []string{`acme/99 backfillcustomer/deleted since "": {"customer":{"id":99}}`}, s.lines("deleted"))

	_, err = s.run(backfill.Import{Known: known("98", "99")})
	require.ErrorIs(t, err, backfill.ErrVanished, "all")
	other := newShop(t, 3)
	var ids []string
	for id := range 50 {
		ids = append(ids, fmt.Sprint(1000+id))
	}
	_, err = other.run(backfill.Import{Known: known(ids...)})
	require.ErrorIs(t, err, backfill.ErrVanished)
	assert.Empty(t, other.lines("deleted"))
	p, err = other.run(backfill.Import{Known: known(ids...), AnyVanished: true})
	require.NoError(t, err)
	assert.Equal(t, 50, p.Vanished)
}

// A known charge of the import's 60 days that is not listed is deleted, unless Recharge still shows it.
func TestDeletedCharges(t *testing.T) {
	open := func(context.Context) iter.Seq2[backfill.OpenCharge, error] {
		return func(yield func(backfill.OpenCharge, error) bool) {
			for _, charge := range []backfill.OpenCharge{
				{ID: "10", ScheduledDate: "2026-05-02"},   // listed
				{ID: "12", ScheduledDate: "2026-09-01"},   // listed, and too late to be published
				{ID: "9001", ScheduledDate: "2026-05-10"}, // deleted
				{ID: "9002", ScheduledDate: "2026-09-10"}, // deleted
				{ID: "9003", ScheduledDate: "2026-01-10"}, // too early to be listed
				{ID: "9004", ScheduledDate: "2026-05-10"}, // not listed any more, but there: it has another date meanwhile
			} {
				if !yield(charge, nil) {
					return
				}
			}
		}
	}
	s := newShop(t, 3)
	s.put(`{"charge":{"id":9004,"customer":{"id":1},"status":"queued","scheduled_at":"2026-01-01","created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00"}}`)
	i := backfill.Import{Known: known("1", "2", "3"), Open: open}
	s.fail = func() error { return nil }
	p, err := s.run(i)
	require.NoError(t, err)
	assert.Equal(t, 2, p.Deleted)
	assert.Equal(t, []string{
		`acme/charge/9001 backfillcharge/deleted since "": {"charge":{"id":9001}}`, `acme/charge/9002 backfillcharge/deleted since "": {"charge":{"id":9002}}`,
	}, s.lines("deleted"))

	failing := newShop(t, 3)
	i.Config = failing.config()
	i.API = refusing{failing, recharge.APIError{Status: http.StatusForbidden, Message: "no"}}
	_, err = i.Run(t.Context())
	require.ErrorContains(t, err, "read charge 9001: recharge api: status 403: no")
	require.NoError(t, i.Dir.Close())
	assert.Empty(t, failing.lines("deleted"))
}

// refusing is a shop whose charges can't be read by id.
type refusing struct {
	*shop
	err recharge.APIError
}

func (r refusing) HasCharge(context.Context, string) (bool, error) { return false, &r.err }
