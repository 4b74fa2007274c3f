package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// changed writes a change of a text.
func (d *desk) changed(m message.Change) {
	d.t.Helper()
	m.Triggers = []message.ChangeTrigger{{ID: "t", Flow: m.Flow, OccurredAt: m.At, Items: []string{"charge/7"}}}
	value, err := json.Marshal(m)
	require.NoError(d.t, err)
	require.NoError(d.t, d.producer.Produce(d.t.Context(), kafka.Record{Topic: d.topics.Messages(), Partition: 1, Key: []byte(m.Store + "/" + m.RechargeCustomerID), Value: value}))
}

func TestSMS(t *testing.T) {
	d := newDesk(t)
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	id := func(c string) string { return strings.Repeat(c, 64) }
	failed := message.Change{ID: id("a"), Store: "acme", RechargeCustomerID: "42", Flow: flow.ChargeFailed, Change: 1, At: now, Status: message.Planned, ReleaseAt: now}
	d.changed(failed)
	failed.Change, failed.At, failed.Status, failed.ReleaseAt = 2, now.Add(time.Second), message.Unknown, time.Time{}
	failed.Code, failed.Error = "http_502", "bad gateway \x1b[2J"
	d.changed(failed)
	d.changed(message.Change{ID: id("b"), Store: "acme", RechargeCustomerID: "43", Flow: flow.ChargePaid, Change: 1, At: now, Status: message.Suppressed, Reason: reason.NoPhone})
	d.changed(message.Change{ID: id("c"), Store: "beta", RechargeCustomerID: "42", Flow: flow.ChargePaid, Change: 1, At: now, Status: message.Accepted, ClickedAt: now})
	row, err := json.Marshal(message.Text{ID: id("a"), Store: "acme", To: "+14*******00", Text: "Hi Jo: your card", Segments: 1})
	require.NoError(t, err)
	require.NoError(t, d.producer.Produce(t.Context(), kafka.Record{Topic: d.topics.MessageTexts(), Partition: 1, Key: []byte("acme/42/" + id("a")), Value: row}))

	out, _ := d.exits(cli.ExitOK, "sms list --since 2026-01-01")
	assert.Contains(t, out, "texts: 3\n  accepted: 1\n  suppressed: 1\n  unknown: 1\n")
	assert.Contains(t, out, "2026-03-01T10:00:01Z  acme          42            charge_failed                unknown      http_502              "+id("a"))
	out, _ = d.exits(cli.ExitOK, "sms list --since 2026-01-01 --store acme --status suppressed")
	assert.Contains(t, out, "no_phone")
	assert.Contains(t, out, "texts: 1\n")
	out, _ = d.exits(cli.ExitOK, "sms list --since 2026-01-01 --limit 1 --customer 42")
	assert.Contains(t, out, "... and 1 more: --limit 0 prints them\ntexts: 2\n")
	out, _ = d.exits(cli.ExitOK, "sms unknown --since 2026-01-01")
	assert.Contains(t, out, "texts: 1\n  unknown: 1\n")

	out, _ = d.exits(cli.ExitOK, "sms show aaaaaaaa --text")
	assert.Contains(t, out, "planned     charge_failed, due 2026-03-01T10:00:00Z\n")
	assert.Contains(t, out, "unknown     charge_failed, http_502: bad gateway ?[2J\n")
	assert.Contains(t, out, "to +14*******00, 1 parts: Hi Jo: your card\n")
	out, _ = d.exits(cli.ExitOK, "sms show cccccccc")
	assert.Contains(t, out, "accepted    charge_paid, clicked 2026-03-01T10:00:00Z\n")
	out, _ = d.exits(cli.ExitOK, "sms show aaaaaaaa")
	assert.NotContains(t, out, "your card")
	_, errs := d.exits(cli.ExitFailed, "sms show dddddddd")
	assert.Contains(t, errs, "there is no text with ID dddddddd")
	d.exits(cli.ExitUsage, "sms show")
	d.exits(cli.ExitUsage, "sms list --since tomorrow")
}
