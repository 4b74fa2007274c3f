package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// A click changes a text, and not its place in the list: the time that a list shows is the one by which it is sorted.
func TestTextsAreSortedByTheTimeTheyShow(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	const older, newer = "1000000000000000", "2000000000000000"
	sent := w.Now()
	w.Texted("acme", "7", older, flow.ChargePaid)
	w.Pass(time.Minute)
	w.Texted("acme", "8", newer, flow.ChargePaid)
	w.Pass(time.Minute)
	w.Write(w.Config.Topics.Messages(), "acme", "7", "rechargeflow.message", message.Change{
		ID: older, Store: "acme", RechargeCustomerID: "7", Flow: flow.ChargePaid, Cause: "cause", Change: 2, At: w.Now(), Status: message.Accepted, ClickedAt: w.Now(),
	})
	var rows []service.TextRow
	require.Eventually(t, func() bool {
		found, err := w.Texts(ctx, service.TextQuery{Store: "acme"})
		rows = found.Texts
		return err == nil && len(rows) == 2 && !rows[1].ClickedAt.IsZero()
	}, time.Minute, time.Millisecond)
	assert.Equal(t, []string{newer, older}, []string{rows[0].ID, rows[1].ID})
	assert.WithinDuration(t, sent.Add(time.Minute), rows[0].At, 0)
	assert.WithinDuration(t, sent, rows[1].At, 0, "since when it is sent")
	assert.WithinDuration(t, sent.Add(2*time.Minute), rows[1].ChangedAt, 0, "when it was clicked")
}
