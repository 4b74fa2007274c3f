package bloomreach_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// A probe tells right credentials from wrong ones, whether Bloomreach knows the command or not, and writes nothing.
func TestProbe(t *testing.T) {
	unknown := bloomreachtest.Failure{Status: http.StatusOK, Body: `{"success":true,"results":[{"success":false,"errors":["Unknown command name"]}]}`}
	for name, test := range map[string]struct {
		failure bloomreachtest.Failure
		secret  string
		class   bloomreach.Class // of the error, "" for none
		text    string
	}{
		"as usual":               {},
		"command is known":       {failure: bloomreachtest.Failure{Status: http.StatusOK, Body: `{"success":true,"results":[{"success":true,"time":1796000000.5}]}`}},
		"result without id":      {failure: unknown},
		"wrong secret":           {secret: "other", class: bloomreach.ClassConfig, text: "check bloomreach.key_id and bloomreach.secret"},
		"not authorized":         {failure: bloomreachtest.Failure{Status: http.StatusOK, Body: `{"success":true,"results":[{"success":false,"errors":["Not authorized"],"command_id":"probe"}]}`}, class: bloomreach.ClassConfig, text: "check the permissions"},
		"firewall":               {failure: bloomreachtest.FirewallPage(), class: bloomreach.ClassConfig, text: "403"},
		"Bloomreach has a fault": {failure: bloomreachtest.Failure{Status: http.StatusServiceUnavailable}, class: bloomreach.ClassRetry, text: "503"},
	} {
		t.Run(name, func(t *testing.T) {
			server := bloomreachtest.New()
			t.Cleanup(server.Close)
			if test.secret != "" {
				server.RotateKey(bloomreachtest.KeyID, test.secret)
			}
			if test.failure.Status != 0 {
				server.FailNext(1, test.failure)
			}
			err := prober(t, server).Probe(t.Context())
			assert.Empty(t, server.Events())
			if test.class == "" {
				require.NoError(t, err)
				return
			}
			var failed *bloomreach.Error
			require.ErrorAs(t, err, &failed)
			require.ErrorContains(t, err, test.text)
			assert.Equal(t, test.class, failed.Class)
			assert.NotContains(t, err.Error(), bloomreachtest.KeySecret)
		})
	}
}

// A request that is refused for its content proves nothing.
func TestProbeIsRefused(t *testing.T) {
	server := bloomreachtest.New()
	t.Cleanup(server.Close)
	server.FailNext(1, bloomreachtest.Failure{Status: http.StatusBadRequest, Body: `{"success":false,"errors":["Unsupported command"]}`})
	err := prober(t, server).Probe(t.Context())
	require.ErrorIs(t, err, bloomreach.ErrUnproven)
	assert.ErrorContains(t, err, "Unsupported command")
}

func prober(t *testing.T, server *bloomreachtest.Server) *bloomreach.Client {
	t.Helper()
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL: server.BaseURL(), ProjectToken: bloomreachtest.ProjectToken,
		Auth: bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret), HTTPClient: server.Client(),
	})
	require.NoError(t, err)
	return client
}
