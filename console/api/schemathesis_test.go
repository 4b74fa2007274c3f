package api_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// schemathesis is where `make schemathesis` installs it.
const schemathesis = "../../.cache/venv/bin/schemathesis"

// Schemathesis makes requests of the document, valid and invalid ones. No answer is our fault, each is as the document says, and requests that
// the document does not allow are refused.
func TestSchemathesis(t *testing.T) {
	command, err := filepath.Abs(schemathesis)
	require.NoError(t, err)
	if _, err := os.Stat(command); err != nil {
		t.Skip("schemathesis is not installed: make schemathesis needs python3 with venv and pip, and installs it")
	}
	s := newSite(t)
	s.Paid("acme", "7", "1", "Jonathan", "+14155550101")
	s.Customer("acme", "7", "jo@example.com", "+14155550101")
	s.Texted("acme", "7", strings.Repeat("a", 64), flow.ChargePaid)
	s.sends(200, "POST", "/stores/acme/segments", `{"name": "texted", "conditions": "received any"}`)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	config := filepath.Join(t.TempDir(), "schemathesis.toml")
	require.NoError(t, os.WriteFile(config, []byte("[parameters]\n\"path.store\" = \"acme\"\n"), 0o600))
	document, err := filepath.Abs("openapi.yaml")
	require.NoError(t, err)
	run := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(command), "python"), command, "--config-file", config, "run", document, "--url", server.URL+"/api/v1",
		"--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1", "--no-color", "--workers", "1", "--generation-database", "none",
		"--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure",
		"--exclude-path-regex", "live$", // whose answers do not end
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection",
		"--header", "Authorization: Bearer token")
	run.Dir = t.TempDir()
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out[max(0, len(out)-1500):])
	require.Empty(t, s.measured.failed)
}
