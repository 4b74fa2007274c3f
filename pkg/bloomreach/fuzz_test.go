package bloomreach_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

// For any answer, each command is accepted, rejected or unanswered. There is an error exactly when some are unanswered.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"results":[{"success":true},{"success":false,"errors":["At least one id should be specified."]},{"success":true}],"success":true}`,
		`{"results":[{"success":true,"command_id":"e2"},{"success":false,"command_id":"e0"}],"success":true}`,
		`{"results":[{"success":false,"errors":["Not authorized to add event of specified type"]},null,[]]}`,
		`{"success":false,"message":"No commands"}`,
		`{"success":false,"error":"Could not authenticate"}`,
		`{"success":false,"errors":{"_global":["Customer does not exist"]}}`,
		`{"errors":{"code":404,"description":"The requested URL was not found on the server"}}`,
		`<html><body>502</body></html>`,
		`[[[[{"a":[]}]]]]`,
		``,
	} {
		for _, status := range []int{200, 400, 404, 429, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		client, err := bloomreach.New(bloomreach.Config{
			BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PublicToken("public-token"),
			HTTPClient: always(status, body, http.Header{"Retry-After": {body}, "X-Request-Id": {body}}),
		})
		require.NoError(t, err)
		results, err := client.Batch(t.Context(), events(t, 3))
		require.Len(t, results, 3)
		unanswered := 0
		for i, result := range results {
			assert.Equal(t, events(t, 3)[i].ID, result.ID)
			assert.Equal(t, result.Outcome == bloomreach.Rejected, len(result.Errors) > 0)
			switch result.Outcome {
			case bloomreach.Accepted, bloomreach.Rejected:
			case bloomreach.Unanswered:
				unanswered++
			default:
				t.Errorf("outcome %q", result.Outcome)
			}
		}
		if unanswered == 0 {
			require.NoError(t, err)
			return
		}
		failure, ok := errors.AsType[*bloomreach.Error](err)
		require.True(t, ok, err)
		assert.Contains(t, []bloomreach.Class{bloomreach.ClassRetry, bloomreach.ClassUnknown, bloomreach.ClassConfig}, failure.Class)
		assert.NotEmpty(t, failure.Message)
	})
}
