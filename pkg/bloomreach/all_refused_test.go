package bloomreach_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// A proxy or Bloomreach refuses every request with a 400. No command is rejected for that.
func TestAllRefusedIsConfigError(t *testing.T) {
	server := bloomreachtest.New()
	t.Cleanup(server.Close)
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL: server.BaseURL(), ProjectToken: bloomreachtest.ProjectToken,
		Auth: bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret),
	})
	require.NoError(t, err)
	send := func(n int) ([]bloomreach.Result, error) {
		var commands []bloomreach.Command
		for i := range n {
			command, err := bloomreach.NewEvent(fmt.Sprint(i), bloomreach.Event{
				CustomerIDs: map[string]string{"registered": "jo@example.com"}, Type: "subscription",
				Timestamp: bloomreach.UnixSeconds(time.Unix(int64(i), 0)), Properties: values{"n": i}.properties(),
			})
			require.NoError(t, err)
			commands = append(commands, command)
		}
		return client.Batch(t.Context(), commands)
	}
	server.FailNext(99, bloomreachtest.Failure{Status: http.StatusBadRequest, Body: `{"success":false,"error":"Tracking is disabled"}`})
	results, err := send(50)
	var failure *bloomreach.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, bloomreach.ClassConfig, failure.Class)
	assert.Contains(t, failure.Message, "Tracking is disabled")
	for _, r := range results {
		assert.Equal(t, bloomreach.Unanswered, r.Outcome)
	}

	results, err = send(50)
	require.NoError(t, err)
	for _, r := range results {
		assert.Equal(t, bloomreach.Accepted, r.Outcome)
	}

	server.FailNext(1, bloomreachtest.Failure{Status: http.StatusBadRequest, Body: `{"success":false,"error":"Tracking is disabled"}`})
	results, err = send(1)
	require.NoError(t, err, "a single command: it may be invalid")
	assert.Equal(t, bloomreach.Rejected, results[0].Outcome)
}
