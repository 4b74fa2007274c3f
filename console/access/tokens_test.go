package access_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

func TestAPITokens(t *testing.T) {
	broker := kafkatest.Embedded(t)
	s := settings.New("tokens.")
	_, err := admin.Apply(t.Context(), broker.Cluster(), admin.Spec{Topics: []admin.TopicSpec{{Name: s.Name, Partitions: 1, Replication: 1}}})
	require.NoError(t, err)
	table := settings.NewTable(s.Topic, zap.NewNop())
	now := newClock()
	tokens := access.NewTokens(s, broker.Cluster(), table, now.Now)
	c := newConsole(t, func(cfg *access.Config) {
		cfg.Tokens, cfg.Now = tokens, now.Now
	})
	program := c.browser()
	program.Jar, program.headers = nil, nil
	use := func(secret string) int {
		return program.send(http.MethodPost, "/api/v1/change", "", "Authorization", "Bearer "+secret).StatusCode
	}
	assert.Equal(t, http.StatusServiceUnavailable, use("rft_x"), "the tokens are not known yet")
	follow(t, table, broker.Cluster())

	ann := access.Person{Name: "ann", Role: access.Operator}
	created, secret, err := tokens.Create(t.Context(), ann, "ci", access.Editor, now.Now().Add(24*time.Hour))
	require.NoError(t, err)
	assert.Regexp(t, `^rft_[A-Za-z0-9_-]{43}$`, secret)
	require.Eventually(t, func() bool { return len(tokens.List()) == 1 }, 10*time.Second, time.Millisecond)
	assert.Equal(t, created, tokens.List()[0])
	assert.Zero(t, created.LastUsed)
	records, err := kafkatest.ReadAll(t.Context(), broker.Cluster(), s.Name)
	require.NoError(t, err)
	for _, r := range records {
		assert.NotContains(t, string(r.Value), secret[4:], "only its hash is stored")
	}

	assert.Equal(t, http.StatusOK, use(secret), "neither cookie nor token of a form")
	program.get("/api/v1/stores", "Authorization", "bearer  "+secret)
	assert.Equal(t, access.Person{Name: "token/ci", Role: access.Editor, Token: true}, c.person)
	assert.Equal(t, now.Now(), tokens.List()[0].LastUsed)
	for _, wrong := range []string{"", "x", secret + "x", secret[:len(secret)-1], strings.ToLower(secret), strings.TrimPrefix(secret, "rft_"), created.Hash, created.ID} {
		assert.Equal(t, http.StatusUnauthorized, use(wrong), "%q", wrong)
	}
	browser := c.browser()
	browser.logIn("ann", annPassword)
	assert.Equal(t, http.StatusUnauthorized, browser.get("/", "Authorization", "Bearer x").StatusCode, "a token that is none, beside a session")

	for name, by := range map[string]access.Person{"editor": {Name: "eve", Role: access.Editor}, "token": {Name: "token/ci", Role: access.Operator, Token: true}, "nobody": {}} {
		_, _, err := tokens.Create(t.Context(), by, "other", access.Viewer, now.Now().Add(time.Hour))
		require.ErrorIs(t, err, access.ErrNotAllowed, name)
		require.ErrorIs(t, tokens.Revoke(t.Context(), by, created.ID), access.ErrNotAllowed, name)
	}
	_, _, err = tokens.Create(t.Context(), ann, "ci", access.Viewer, now.Now().Add(time.Hour))
	require.ErrorIs(t, err, settings.ErrToken)
	require.ErrorIs(t, tokens.Revoke(t.Context(), ann, "none"), settings.ErrToken)

	require.NoError(t, tokens.Revoke(t.Context(), ann, created.ID))
	require.Eventually(t, func() bool { return use(secret) == http.StatusUnauthorized }, 10*time.Second, time.Millisecond)

	_, secret, err = tokens.Create(t.Context(), ann, "ci", access.Viewer, now.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return use(secret) == http.StatusOK }, 10*time.Second, time.Millisecond)
	now.advance(time.Hour)
	assert.Equal(t, http.StatusUnauthorized, use(secret), "expired")
	encoded, err := json.Marshal(tokens.List())
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), secret[4:])
}

// follow runs a table until the end of the test, and waits until it is ready.
func follow(t *testing.T, table *settings.Table[settings.Setting], cluster kafka.Cluster) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // canceled at the end of the test
	ended := make(chan error, 1)
	go func() { ended <- table.Run(ctx, cluster) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	select {
	case <-table.Ready():
	case <-time.After(30 * time.Second):
		require.Fail(t, "table is not ready")
	}
}
