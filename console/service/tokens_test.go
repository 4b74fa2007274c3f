package service_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Who revokes a token sees at once that it is not valid any more. Changes at the same time do not fence each other.
func TestTokensAreChangedInTurn(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	ops := access.Person{Name: "ops", Role: access.Operator}
	const changes = 3
	errs := make(chan error)
	for i := range changes {
		go func() {
			made, err := w.CreateToken(ctx, ops, service.TokenRequest{Name: string(rune('a' + i)), Role: "viewer"})
			if err == nil {
				err = w.RevokeToken(ctx, ops, made.ID)
			}
			errs <- err
		}()
		go func() {
			_, err := w.SaveFlow(ctx, "ann", "acme", flow.Keys()[i], service.SaveFlow{Draft: service.Draft{Name: ref("x")}})
			errs <- err
		}()
	}
	for range 2 * changes {
		require.NoError(t, <-errs)
	}
	tokens, err := w.Tokens(ctx)
	require.NoError(t, err)
	require.Len(t, tokens, changes)
	for _, token := range tokens {
		assert.False(t, token.Valid, token.Name)
		assert.Equal(t, "ops", token.RevokedBy)
	}
}
