package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newConsentDesk is a desk with the stores acme and beta. Files are in the returned directory.
func newConsentDesk(t *testing.T) (*desk, func(name, content string) string) {
	t.Helper()
	d := newDesk(t)
	config := write(t, "stores: [{name: acme, recharge: {secrets: [a]}}, {name: beta, recharge: {secrets: [b]}}]\n")
	d.environ = append(d.environ, "RECHARGEFLOW_KAFKA_PARTITIONS=4", "RECHARGEFLOW_CONFIG="+config)
	dir := t.TempDir()
	return d, func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
}

const consentList = `number,status,at,source
+14155552671,opted_in,2026-03-01T10:00:00Z,checkout
+1 (415) 555-2671,opted_out,2026-03-02,old platform
+447911123456,opted_in,2026-03-01,checkout
+447911123456,opted_in,2026-03-01,checkout
`

// A list is imported once, however often the command is called, and exported as it is.
func TestConsentLists(t *testing.T) {
	d, file := newConsentDesk(t)
	list := file("list.csv", consentList)
	out, _ := d.exits(cli.ExitOK, "consent import --store acme --dry-run "+list)
	assert.Equal(t, "lines: 4\nnew: 3, known already: 1\nnumbers whose status changes: 2\nnothing was recorded: this was a dry run\n", out)
	out, _ = d.exits(cli.ExitOK, "consent import --store acme "+list)
	assert.Equal(t, "lines: 4\nnew: 3, known already: 1\nnumbers whose status changes: 2\nrecorded: 3\n", out)
	out, _ = d.exits(cli.ExitOK, "consent import --store acme "+list)
	assert.Equal(t, "lines: 4\nnew: 0, known already: 4\nnumbers whose status changes: 0\nrecorded: 0\n", out)
	older := file("older.csv", "number,status,at\n+14155552671,opted_in,2026-01-01\n")
	out, _ = d.exits(cli.ExitOK, "consent import --store acme "+older)
	assert.Equal(t, "lines: 1\nnew: 1, known already: 0\nnumbers whose status changes: 0\nrecorded: 1\n", out)

	out, errs := d.exits(cli.ExitOK, "consent export --store acme")
	assert.Equal(t, "number,status,at,source\n"+
		"+14*******71,opted_out,2026-03-02T00:00:00Z,old platform\n"+
		"+44********56,opted_in,2026-03-01T00:00:00Z,checkout\n", out)
	assert.Equal(t, "numbers: 2, masked: with --reveal they are complete, so that they can be imported\n", errs)
	_, errs = d.exits(cli.ExitUsage, "consent import --store beta "+file("masked.csv", out))
	assert.Contains(t, errs, "masked.csv: line 2: number is masked")

	out, errs = d.exits(cli.ExitOK, "consent export --store acme --reveal --status opted_out")
	assert.Equal(t, "number,status,at,source\n+14155552671,opted_out,2026-03-02T00:00:00Z,old platform\n", out)
	assert.Equal(t, "numbers: 1\n", errs)
	d.exits(cli.ExitOK, "consent import --store beta "+file("moved.csv", out))
	out, _ = d.exits(cli.ExitOK, "consent show --store beta")
	assert.Equal(t, "store beta: opted in: 0, opted out: 1\n", out)
	out, _ = d.exits(cli.ExitOK, "consent show --store acme")
	assert.Equal(t, "store acme: opted in: 1, opted out: 1\n", out)
}

// A list with a fault is not imported. Each fault has its file and line; none has a number.
func TestConsentImportRefuses(t *testing.T) {
	d, file := newConsentDesk(t)
	list := file("list.csv", consentList+"4155552671,opted_in,2026-03-01,\n+14155552671,maybe,2026-03-01,\n")
	out, errs := d.exits(cli.ExitUsage, "consent import --store acme "+list)
	assert.Empty(t, out)
	assert.Equal(t, list+": line 6: number is not one with its country code, such as +14155552671\n"+
		list+": line 7: status is neither opted_in nor opted_out\nrechargeflow: nothing was recorded\n", errs)
	out, _ = d.exits(cli.ExitOK, "consent show --store acme")
	assert.Equal(t, "store acme: opted in: 0, opted out: 0\n", out)
	_, errs = d.exits(cli.ExitUsage, "consent import --store acme "+list+".gone")
	assert.Contains(t, errs, "open list")
}

// An operator's decision is the newest, and is recorded once.
func TestConsentOfOperators(t *testing.T) {
	d, file := newConsentDesk(t)
	d.exits(cli.ExitOK, "consent import --store acme "+file("list.csv", consentList))
	out, _ := d.exits(cli.ExitOK, "consent opt-in --store acme --note by-phone +14155552671 +447911123456 +4915123456789")
	assert.Equal(t, "+44********56 opted_in already\n+14*******71 opted_in\n+49*********89 opted_in\n", out)
	out, _ = d.exits(cli.ExitOK, "consent opt-in --store acme +14155552671")
	assert.Equal(t, "+14*******71 opted_in already\n", out)
	out, _ = d.exits(cli.ExitOK, "consent opt-out --store acme +14155552671")
	assert.Equal(t, "+14*******71 opted_out\n", out)
	out, _ = d.exits(cli.ExitOK, "consent show --store acme +14155552671")
	assert.Equal(t, "+14*******71  opted_out  TIME  operator\n"+
		"+14*******71  opted_in   TIME  operator: by-phone\n"+
		"+14*******71  opted_out  TIME  old platform\n"+
		"+14*******71  opted_in   TIME  checkout\n", regexp.MustCompile(`20\S+ +`).ReplaceAllString(out, "TIME  "))
	out, _ = d.exits(cli.ExitOK, "consent show --store beta +14155552671")
	assert.Equal(t, "store beta knows nothing about +14*******71\n", out)
}

func TestConsentUsage(t *testing.T) {
	d, _ := newConsentDesk(t)
	for line, want := range map[string]string{
		"consent":                                    "no command given, expected one of export, import, opt-in, opt-out, show",
		"consent show --store gamma":                 `--store is "gamma", expected one of acme, beta`,
		"consent show +1415":                         `"+1415" is not a number with its country code`,
		"consent opt-out --store acme 4155552671":    `"4155552671" is not a number with its country code`,
		"consent opt-out --store acme":               "requires at least 1 arg",
		"consent import --store acme":                "accepts 1 arg",
		"consent export --store acme --status maybe": `--status is "maybe", expected opted_in or opted_out`,
	} {
		_, errs := d.exits(cli.ExitUsage, line)
		assert.Contains(t, errs, want, line)
	}
}
