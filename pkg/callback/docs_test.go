package callback_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
)

// The example of docs/sms-gateway.md works as it is, but for the address.
func TestExampleOfTheDocs(t *testing.T) {
	for _, program := range []string{"sh", "curl", "openssl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	page, err := os.ReadFile("../../docs/sms-gateway.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## Callbacks\n")
	require.True(t, found)
	_, script, _ := strings.Cut(section, "```sh\n")
	script, _, _ = strings.Cut(script, "```")
	address := regexp.MustCompile(`(?m)^url=https://[^/]+/`)
	require.Regexp(t, address, script)

	b := newBench(t)
	b.now = time.Now() // the example signs with the time of the machine
	server := httptest.NewServer(b.handler)
	defer server.Close()
	run := func(script string) (string, error) {
		output, err := exec.CommandContext(t.Context(), "sh", "-euc", address.ReplaceAllString(script, "url="+server.URL+"/")).CombinedOutput()
		return string(output), err
	}
	output, err := run(script)
	require.NoError(t, err, output)
	assert.Empty(t, output)
	assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())

	output, err = run(strings.Replace(script, "secret=gateway-secret", "secret=guess", 1))
	require.Error(t, err, "curl reports a refused callback")
	assert.Contains(t, output, `"error":"bad_signature"`)
}
