package pipeline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// attackRecord is an event whose text a firewall takes for an attack.
func (w *world) attackRecord(n int) kafka.Record {
	r := w.eventRecord(n)
	r.Value = []byte(strings.Replace(string(r.Value), "House Blend", "'; DROP TABLE coffee; --", 1))
	return r
}

func (w *world) firewall() {
	w.bloomreach.BlockWhen(func(body string) bool { return strings.Contains(body, "DROP TABLE") }, bloomreachtest.FirewallPage())
}

// An event that a firewall refuses is a dead letter with the firewall's words. The others of its partition are accepted once, also
// those of the same customer, and nothing waits.
func TestTrackingFirewallRefusesOneEvent(t *testing.T) {
	for _, at := range []int{0, 3, 6} {
		w := newWorld(t, storeConfig{})
		w.firewall()
		records := w.eventRecords(7)
		records[at] = w.attackRecord(at)
		require.Empty(t, untilDone(t, w.stage(topology.RoleTracking), records))
		assert.Len(t, w.bloomreach.Events(), 6)
		assert.Zero(t, w.bloomreach.Deduplicated())
		letters := w.dead(topology.RoleTracking)
		require.Len(t, letters, 1)
		assert.Equal(t, fmt.Sprint(at), letters[0].Header(deadletter.HeaderOffset))
		assert.Equal(t, "bloomreach: 403 Forbidden Request blocked Ray ID: 8a1b2c3d4e5f6789", letters[0].Header(deadletter.HeaderError))
		assert.NotContains(t, w.outcomes.pauses, true)
		assert.LessOrEqual(t, w.bloomreach.Requests(), 11)
	}
}

// It is found also when there is no other event.
func TestTrackingFirewallRefusesTheOnlyEvent(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.firewall()
	require.Empty(t, untilDone(t, w.stage(topology.RoleTracking), []kafka.Record{w.attackRecord(0)}))
	assert.Equal(t, []string{"tracking rejected refused"}, w.outcomes.lines)
}

// A firewall that refuses everything pauses the store: nothing is a dead letter, and all is sent when it ends.
func TestTrackingFirewallRefusesEverything(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.BlockWhen(func(string) bool { return true }, bloomreachtest.FirewallPage())
	records := w.eventRecords(50)
	for range 3 {
		done, err := w.handle(w.stage(topology.RoleTracking), records)
		require.ErrorContains(t, err, "bloomreach answered 403 Forbidden: 403 Forbidden Request blocked")
		assert.Zero(t, done)
	}
	assert.Equal(t, []bool{true, true, true}, w.outcomes.pauses)
	assert.LessOrEqual(t, w.bloomreach.Requests(), 3*8)
	w.bloomreach.BlockWhen(nil, bloomreachtest.Failure{})
	require.Empty(t, untilDone(t, w.stage(topology.RoleTracking), records))
	assert.Equal(t, upTo(50), w.trackedIDs())
	assert.Empty(t, w.dead(topology.RoleTracking))
}

// The event of a charge with very many items arrives. Its lists are cut, and properties say so.
func TestTrackingManyItems(t *testing.T) {
	for n, omitted := range map[int]bool{10: false, 140: true, 2000: true} {
		w := newWorld(t, storeConfig{})
		e := chargeEvent()
		e.Charge.Items = nil
		for i := range n {
			e.Charge.Items = append(e.Charge.Items, subscriber.Item{
				Kind: recharge.KindSubscription, SubscriptionID: fmt.Sprint(784594000 + i), ProductID: fmt.Sprint(7200061391000 + i), VariantID: fmt.Sprint(41510929465000 + i),
				SKU: fmt.Sprint("BX-", i), Title: fmt.Sprintf("Organic single-serve soup No. %d, lentil & tomato", i), Price: "2.50", Quantity: 1,
			})
		}
		require.Empty(t, untilDone(t, w.stage(topology.RoleTracking), []kafka.Record{w.sinkRecord("recharge.events", schemas.SubscriptionCharge, 0, e)}))
		require.Len(t, w.bloomreach.Events(), 1, "%v", w.outcomes.lines)
		sent := w.bloomreach.Events()[0].Properties
		list, ok := sent["product_list"].([]any)
		require.True(t, ok)
		encoded, err := json.Marshal(list)
		require.NoError(t, err)
		assert.Less(t, len(encoded), 16_000)
		assert.Equal(t, json.Number(fmt.Sprint(n)), sent["total_quantity"], "of all items")
		if !omitted {
			assert.Len(t, list, n)
			assert.NotContains(t, sent, "product_list_truncated")
			continue
		}
		assert.Equal(t, true, sent["product_list_truncated"])
		assert.Equal(t, json.Number(fmt.Sprint(n-len(list))), sent["product_list_omitted"])
		assert.Equal(t, "7200061391000", list[0].(map[string]any)["product_id"])
	}
}
