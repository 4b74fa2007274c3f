package story_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestSegments: of four customers three receive a text and one of them clicks its link. The commands count and list them, and set a property at
// their profiles in Bloomreach. When one of the texts is reported as undelivered, and when a segment is deleted, the next push says so.
func TestSegments(t *testing.T) {
	eachBrokerFor(t, func(l *lab.Lab) { l.Flows, l.ShortLinks = []string{"subscription_started"}, true }, segments)
}

func segments(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
	const received, quiet = "received subscription_started in 7d", "received any and not clicked any"
	l.Texts.ForNumber("+15035550004", smstest.Behaviour{Status: http.StatusUnprocessableEntity})
	for id := 1; id <= 4; id++ {
		require.NoError(t, deliver(t.Context(), l, webhook(0, id, time.Now().UTC())))
	}
	eventually(t, func() bool {
		counts := statuses(t, l)
		return counts[message.Accepted] == 3 && counts[message.Rejected] == 1 && len(trackedFacts(l)) == 4
	})
	run(t, l, "segments", "create", "got_it", received)
	run(t, l, "segments", "create", "silent", quiet)
	assertCounts(t, l, "got_it   3        "+received, "silent   3        "+quiet, "customers: 4")
	click(t, l, "+15035550001")
	assertCounts(t, l, "got_it   3        "+received, "silent   2        "+quiet, "customers: 4")
	assert.Contains(t, run(t, l, "segments", "count", "not received any"), "not received any")

	members := run(t, l, "segments", "members", "silent", "--reveal")
	assert.Contains(t, members, email(2))
	assert.Contains(t, members, email(3))
	assert.Contains(t, members, "members: 2\n")
	assert.NotContains(t, members, email(1))
	assert.NotContains(t, run(t, l, "segments", "members", "silent"), email(2), "masked")

	out, err := l.Run(t.Context(), "segments", "push", "--store", lab.Store, "--dry-run")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 3, exit.ExitCode(), out)
	assertProperties(t, l, "got_it", nil, nil, nil, nil)
	assertPush(t, l, "recharge_segment_got_it of store acme: 3 added, 0 removed", "recharge_segment_silent of store acme: 2 added, 0 removed")
	assertProperties(t, l, "got_it", true, true, true, nil)
	assertProperties(t, l, "silent", nil, true, true, nil)
	assertPush(t, l, "nothing changed since the last push")

	report(t, l, "+15035550002", "undelivered")
	eventually(t, func() bool { return statuses(t, l)[message.Undelivered] == 1 })
	assertCounts(t, l, "got_it   2        "+received, "silent   1        "+quiet, "customers: 4")
	assertPush(t, l, "recharge_segment_got_it of store acme: 0 added, 1 removed", "recharge_segment_silent of store acme: 0 added, 1 removed")
	assertProperties(t, l, "got_it", true, false, true, nil)
	assertProperties(t, l, "silent", nil, false, true, nil)

	run(t, l, "segments", "delete", "got_it")
	assertPush(t, l, "recharge_segment_got_it of store acme: 0 added, 2 removed")
	assertProperties(t, l, "got_it", false, false, false, nil)
	checkSchemas(t, read(t, l, topology.Topics{Prefix: l.Prefix}.SegmentMembers()))
	stop(t, processes)
}

// run runs a command about the lab's store, and returns what it prints.
func run(t *testing.T, l *lab.Lab, args ...string) string {
	t.Helper()
	out, err := l.Run(t.Context(), append(args, "--store", lab.Store)...)
	require.NoError(t, err)
	return out
}

// assertCounts compares the lines that count the segments.
func assertCounts(t *testing.T, l *lab.Lab, lines ...string) {
	t.Helper()
	counts := run(t, l, "segments", "count")
	for _, line := range lines {
		assert.Contains(t, counts, line+"\n")
	}
}

// assertPush pushes the segments, and compares what is printed.
func assertPush(t *testing.T, l *lab.Lab, lines ...string) {
	t.Helper()
	assert.ElementsMatch(t, lines, strings.Split(strings.TrimSpace(run(t, l, "segments", "push")), "\n"))
}

// assertProperties compares the property of a segment at the profiles of the customers; nil for none.
func assertProperties(t *testing.T, l *lab.Lab, segment string, want ...any) {
	t.Helper()
	for i, value := range want {
		profile, _ := l.Bloomreach.Customer("registered", email(i+1))
		assert.Equal(t, value, profile["recharge_segment_"+segment], "%s of customer %d", segment, i+1)
	}
}

// textTo returns the text to a number.
func textTo(t *testing.T, l *lab.Lab, number string) smstest.Text {
	t.Helper()
	for _, text := range l.Texts.Texts() {
		if text.To == number {
			return text
		}
	}
	require.Fail(t, "no text", number)
	return smstest.Text{}
}

// click clicks the link of a text as a person does, and returns when its message has it.
func click(t *testing.T, l *lab.Lab, number string) {
	t.Helper()
	path, began := pathOf(t, l, textTo(t, l, number)), time.Now()
	eventually(t, func() bool { return time.Since(began) > links.Instant })
	eventually(t, func() bool { return follow(t, l, http.MethodHead, path, phone) == target })
	assert.Equal(t, target, follow(t, l, http.MethodGet, path, phone))
	eventually(t, func() bool {
		messages, err := lab.Messages(read(t, l, topology.Topics{Prefix: l.Prefix}.Messages()))
		require.NoError(t, err)
		for _, m := range messages {
			if !m.ClickedAt.IsZero() {
				return true
			}
		}
		return false
	})
}

// report reports the status of the text to a number.
func report(t *testing.T, l *lab.Lab, number, status string) {
	t.Helper()
	answer, body, err := l.Callback(t.Context(), smstest.Callback{Kind: "delivery", At: time.Now().UTC(), MessageID: textTo(t, l, number).ID, Status: status})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer, body)
}
