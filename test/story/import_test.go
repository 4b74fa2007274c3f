package story_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// imported is how many customers TestImport imports, IMPORT of the environment. A number that fills several pages.
func imported(t *testing.T) int {
	t.Helper()
	given := os.Getenv("IMPORT")
	if given == "" {
		return 600
	}
	n, err := strconv.Atoi(given)
	require.NoError(t, err)
	return n
}

// TestImport imports a store while the command is killed again and again. Tables and properties are then what the shop has, and nothing else
// was tracked, texted or dead-lettered.
func TestImport(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		n := imported(t)
		fillShop(t, l.API, n)
		began := time.Now()
		kills := importKilled(t, l)
		topics := topology.Topics{Prefix: l.Prefix}
		require.Eventually(t, func() bool { return len(rowsOf(t, l, topics.Charges())) == 2*n && trackedProperties(l, n) == n }, 15*time.Minute, time.Second)
		t.Logf("%d customers in %s, with %d kills", n, time.Since(began).Round(time.Second), kills)

		customers, subscriptions := rowsOf(t, l, topics.Customers()), rowsOf(t, l, topics.Subscriptions())
		require.Len(t, customers, n)
		for id := 1; id <= n; id++ {
			row := customers[fmt.Sprintf("acme/%d", id)]
			require.Equal(t, fmt.Sprintf("c%d@example.com", id), row["email"])
			require.Equal(t, isActive(id), row["subscription_active"], "customer %d", id)
			for s := range id % 4 {
				key := fmt.Sprintf("acme/%d/%d", id, 10*id+s)
				require.Equal(t, statusOf(id, s), subscriptions[key]["status"], key)
				delete(subscriptions, key)
			}
			property, known := l.Bloomreach.Customer("registered", fmt.Sprintf("c%d@example.com", id))
			require.True(t, known)
			require.Equal(t, isActive(id), property["recharge_subscription_active"], "customer %d", id)
		}
		assert.Empty(t, subscriptions, "and no others")
		assert.Empty(t, l.Bloomreach.Events())
		assert.Empty(t, read(t, l, topics.Facts()))
		assert.Empty(t, l.Texts.Texts())
		for _, role := range topology.Roles() {
			if slices.Contains(topics.Writes(role), topics.DeadLetters(role)) {
				assert.Empty(t, read(t, l, topics.DeadLetters(role)))
			}
		}
		stop(t, processes)
	}, "subscription_started", "charge_paid")
}

// isActive reports whether any of a customer's id%4 subscriptions is active. The first is canceled if the customer's id is divisible by 5.
func isActive(id int) bool { return id%4 > 1 || id%4 == 1 && id%5 > 0 }

func statusOf(id, s int) string {
	if s == 0 && id%5 == 0 {
		return "canceled"
	}
	return "active"
}

func fillShop(t *testing.T, api *rechargetest.Server, n int) {
	t.Helper()
	now := time.Now().UTC()
	ago := func(days int) string { return now.AddDate(0, 0, -days).Format("2006-01-02T15:04:05+00:00") }
	put := func(format string, args ...any) { require.NoError(t, api.Put(fmt.Appendf(nil, format, args...))) }
	for id := 1; id <= n; id++ {
		put(`{"customer":{"id":%d,"email":"c%d@example.com","phone":"+12125550123","created_at":%q,"updated_at":%q}}`, id, id, ago(300), ago(200))
		for s := range id % 4 {
			status, canceled := "active", "null"
			if statusOf(id, s) != "active" {
				status, canceled = "cancelled", strconv.Quote(ago(10))
			}
			put(`{"subscription":{"id":%d,"customer_id":%d,"status":%q,"product_title":"Beans","price":"10.00","created_at":%q,"updated_at":%q,"cancelled_at":%s}}`, 10*id+s, id, status, ago(100), ago(10), canceled)
		}
		put(`{"charge":{"id":%d,"customer":{"id":%d},"status":"queued","scheduled_at":%q,"total_price":"10.00","created_at":%q,"updated_at":%q}}`, 10*id+8, id, now.AddDate(0, 0, 20).Format(time.DateOnly), ago(10), ago(10))
		put(`{"charge":{"id":%d,"customer":{"id":%d},"status":"success","processed_at":%q,"total_price":"10.00","created_at":%q,"updated_at":%q}}`, 10*id+9, id, ago(10), ago(10), ago(10))
	}
}

// importKilled runs the import and kills it after some random time, until it ends by itself. It returns how often it was killed.
func importKilled(t *testing.T, l *lab.Lab) (kills int) {
	t.Helper()
	const most = 6
	dir := t.TempDir()
	l.API.Next(60, rechargetest.Behaviour{Slow: 20 * time.Millisecond})
	for {
		var out bytes.Buffer
		run := exec.CommandContext(t.Context(), l.Binary, "import", "--config", l.Config(), "--dir", dir)
		run.Stdout, run.Stderr = &out, &out
		require.NoError(t, run.Start())
		if kills < most {
			kill := time.AfterFunc(100*time.Millisecond+rand.N(time.Duration(imported(t))*time.Millisecond), func() { _ = run.Process.Kill() })
			defer kill.Stop()
		}
		if err := run.Wait(); err == nil {
			return kills
		}
		require.Equal(t, -1, run.ProcessState.ExitCode(), out.String())
		kills++
	}
}

// rowsOf are the rows of a table, by key.
func rowsOf(t *testing.T, l *lab.Lab, topic string) map[string]map[string]any {
	t.Helper()
	rows := map[string]map[string]any{}
	for _, r := range read(t, l, topic) {
		delete(rows, string(r.Key))
		if r.Value != nil {
			var row map[string]any
			require.NoError(t, json.Unmarshal(r.Value, &row))
			rows[string(r.Key)] = row
		}
	}
	return rows
}

// trackedProperties counts the customers whose property Bloomreach has.
func trackedProperties(l *lab.Lab, n int) (known int) {
	for id := 1; id <= n; id++ {
		if properties, _ := l.Bloomreach.Customer("registered", fmt.Sprintf("c%d@example.com", id)); properties["recharge_subscription_active"] != nil {
			known++
		}
	}
	return known
}
