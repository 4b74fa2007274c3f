package flowstats_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Each file of testdata has changes of texts, what followed them, and the numbers that are not zero.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			counter, want := flowstats.NewCounter(options(t)), ""
			for _, part := range archive.Files {
				switch part.Name {
				case "changes":
					each(t, part.Data, counter.Changed)
				case "events":
					each(t, part.Data, counter.Happened)
				case "opt-outs":
					each(t, part.Data, func(o struct {
						Store, Customer string
						At              time.Time
					},
					) {
						counter.OptedOut(o.Store, o.Customer, o.At)
					})
				case "rows":
					want = string(part.Data)
				default:
					t.Fatalf("%s has an unknown part %s", file, part.Name)
				}
			}
			assert.Equal(t, want, printed(counter.Rows()))
		})
	}
}

func options(t *testing.T) flowstats.Options {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	return flowstats.Options{
		Since: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Zones: map[string]*time.Location{"acme": zone}, Within: flowstats.DefaultWithin(),
	}
}

func each[T any](t *testing.T, lines []byte, visit func(T)) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var value T
		require.NoError(t, json.Unmarshal(line, &value), string(line))
		visit(value)
	}
}

func printed(rows []flowstats.Row) string {
	var out strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&out, "%s %s %s", r.Store, r.Day, r.Flow)
		for i, n := range r.Values() {
			if n != 0 {
				fmt.Fprintf(&out, " %s=%d", flowstats.Columns()[i], n)
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// Columns are the names that JSON has, so that all forms of the output agree.
func TestColumns(t *testing.T) {
	row := flowstats.Row{Store: "acme", Flow: flow.ChargePaid}
	encoded, err := json.Marshal(row)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(encoded, &fields))
	delete(fields, "store")
	delete(fields, "flow")
	names := []string{}
	for name := range fields {
		names = append(names, name)
	}
	assert.ElementsMatch(t, flowstats.Columns(), names)
	assert.Len(t, row.Values(), len(names))
}

// A flow, and the sum of all days.
func TestFlowAndTotals(t *testing.T) {
	o := options(t)
	o.Flow = flow.ChargePaid
	counter := flowstats.NewCounter(o)
	for i, day := range []int{2, 2, 3} {
		for _, key := range []flow.Key{flow.ChargePaid, flow.OrderProcessed} {
			counter.Changed(message.Change{
				ID: fmt.Sprint(key, i), Store: "acme", Flow: key, Change: 1, At: time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC), Status: message.Sent,
				Triggers: []message.ChangeTrigger{{Flow: key}},
			})
		}
	}
	counter.Happened(subscriber.Event{Type: subscriber.EventProperty})
	rows := counter.Rows()
	assert.Equal(t, "acme 2026-03-02 charge_paid triggered=2 texts=2 sent=2\nacme 2026-03-03 charge_paid triggered=1 texts=1 sent=1\n", printed(rows))
	assert.Equal(t, "acme  charge_paid triggered=3 texts=3 sent=3\n", printed(flowstats.Totals(rows)))
}
