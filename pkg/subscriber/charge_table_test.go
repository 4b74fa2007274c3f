package subscriber_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func ofCharges(t *testing.T) *run {
	t.Helper()
	r := newRun(t, byID())
	r.settings.SMS, r.settings.API = false, false
	return r
}

func inStatus(status string) func(*recharge.Charge) {
	return func(c *recharge.Charge) { c.Status = status }
}

// A row is written when something other than its time stamp changes, and not by an older snapshot.
func TestChargeRow(t *testing.T) {
	r, at := ofCharges(t), start()
	for _, test := range []struct {
		topic   recharge.Topic
		at      time.Time
		status  string
		written bool
	}{
		{"charge/created", at, "queued", true},
		{"charge/updated", at.Add(time.Hour), "queued", false},
		{"charge/paid", at.Add(2 * time.Hour), "success", true},
		{"charge/updated", at.Add(time.Hour), "skipped", false},
		{"charge/updated", at.Add(2 * time.Hour), "queued", false},
		{"charge/refunded", at.Add(2 * time.Hour), "refunded", true},
	} {
		created := func(c *recharge.Charge) { c.CreatedAt, c.RetryAt = at, time.Time{} }
		r.receives(ofCharge(test.topic, test.at, inStatus(test.status), created), test.at)
		assert.Equal(t, test.written, len(r.last.Charges) == 1, "%s %s", test.topic, test.status)
	}
	assert.Equal(t, "refunded", r.charges["580825303"].Status)
	assert.Equal(t, joID, r.charges["580825303"].RechargeCustomerID)
}

// A charge leaves the state 180 days after it was paid, or 425 after it was queued. An older snapshot that comes then does not bring the row
// back to what it was.
func TestChargesExpire(t *testing.T) {
	r, at := ofCharges(t), start()
	r.receives(ofCharge("charge/paid", at, inStatus("success")), at)
	r.receives(ofCharge("charge/created", at, inStatus("queued"), func(c *recharge.Charge) { c.ID = "2" }), at)
	later := at.Add(180 * 24 * time.Hour)
	r.receives(ofCharge("charge/created", later, inStatus("queued"), func(c *recharge.Charge) { c.ID = "3" }), later)
	known := r.state().Customer
	assert.NotContains(t, known.Charges, "580825303")
	assert.Contains(t, known.Charges, "2")
	assert.Equal(t, at, known.ChargesExpiredTo)
	r.receives(ofCharge("charge/updated", at.Add(-time.Minute), inStatus("queued")), later)
	assert.Empty(t, r.last.Charges)
	assert.Equal(t, "success", r.charges["580825303"].Status)
	r.receives(ofCharge("charge/refunded", later, inStatus("refunded")), later)
	assert.Equal(t, "refunded", r.charges["580825303"].Status)

	order := &recharge.Order{ID: "9", ChargeID: "5", CustomerID: joID, Number: "1005", UpdatedAt: later}
	r.receives(recharge.Webhook{Topic: "order/created", Order: order}, later)
	assert.Contains(t, r.state().Customer.Charges, "5", "its charge comes later")

	muchLater := at.Add(425 * 24 * time.Hour)
	r.receives(ofCharge("charge/created", muchLater, func(c *recharge.Charge) { c.ID = "4" }), muchLater)
	assert.NotContains(t, r.state().Customer.Charges, "2")
	assert.NotContains(t, r.state().Customer.Charges, "5")
}

// At most a thousand charges are in the state, and every one has a row, in any order.
func TestManyCharges(t *testing.T) {
	s := byID()
	s.SMS, s.API, s.ActiveProperty = false, false, false
	st, rows := &subscriber.State{}, map[string]bool{}
	for i := range 1010 {
		at := start().Add(-time.Duration(i) * time.Minute)
		d, after, err := subscriber.Decide(s, st, ofCharge("charge/created", at, func(c *recharge.Charge) { c.ID = strconv.Itoa(i + 1) }), start())
		require.NoError(t, err)
		require.Len(t, d.Charges, 1)
		st, rows[d.Charges[0].ChargeID] = after, true
	}
	assert.Len(t, st.Customer.Charges, 1000)
	assert.Len(t, rows, 1010)
}

// The owner record and the deletion of a charge come in any order, more than once: the customer hears of it once, and the row goes.
func TestDeletedCharge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(t, byID())
		r.settings.SMS, r.settings.API = false, false
		r.receives(ofCharge("charge/created", start(), inStatus("queued")), start())
		require.Len(t, r.last.ChargeOwners, 1)
		owner := r.last.ChargeOwners[0]
		var known subscriber.ChargeOwnerState
		var deletions []subscriber.ChargeDeletion
		steps := append([]string{"owner", "deleted"}, rapid.SliceOfN(rapid.SampledFrom([]string{"owner", "deleted"}), 0, 3).Draw(t, "again")...)
		for i, step := range rapid.Permutation(steps).Draw(t, "steps") {
			var d *subscriber.ChargeDeletion
			at := start().Add(time.Duration(i) * time.Second)
			if step == "owner" {
				known, d = subscriber.ApplyChargeOwner(known, owner, at)
			} else {
				known, d, _ = subscriber.ApplyChargeDeleted(known, store, owner.ChargeID, at)
			}
			if d != nil {
				deletions = append(deletions, *d)
			}
		}
		require.NotEmpty(t, deletions)
		for i, d := range deletions {
			require.Equal(t, joID, d.CustomerID)
			decision, after, err := subscriber.ApplyChargeDeletion(r.settings, r.state(), d, start())
			require.NoError(t, err)
			require.Equal(t, i == 0, len(decision.Charges) == 1, "the tombstone once")
			require.NoError(t, r.rows.save(joID, r.state(), after))
		}
		r.receives(ofCharge("charge/updated", start().Add(time.Hour), inStatus("queued")), start())
		require.Empty(t, r.last.Charges, "a deletion is final")
	})
}

// A charge that moves to another customer, as when two are merged, leaves the table of the former one, whichever owner record comes first.
func TestChargeMoves(t *testing.T) {
	first := subscriber.ChargeOwner{Store: store, ChargeID: "1", CustomerID: "10", At: start()}
	second := subscriber.ChargeOwner{Store: store, ChargeID: "1", CustomerID: "20", At: start().Add(time.Hour)}
	for _, order := range [][]subscriber.ChargeOwner{{first, second}, {second, first}} {
		known, none := subscriber.ApplyChargeOwner(subscriber.ChargeOwnerState{}, order[0], start())
		assert.Nil(t, none)
		known, deletion := subscriber.ApplyChargeOwner(known, order[1], start())
		assert.Equal(t, "20", known.CustomerID)
		require.NotNil(t, deletion)
		assert.Equal(t, "10", deletion.CustomerID)
	}
	known, _ := subscriber.ApplyChargeOwner(subscriber.ChargeOwnerState{}, first, start())
	known, deletion, _ := subscriber.ApplyChargeDeleted(known, store, "1", start())
	require.NotNil(t, deletion)
	_, deletion = subscriber.ApplyChargeOwner(known, second, start())
	require.NotNil(t, deletion, "a late snapshot brings no deleted charge back")
	assert.Equal(t, "20", deletion.CustomerID)
}

// A deleted customer's charges that were not paid leave the table, those that were stay.
func TestChargesOfADeletedCustomer(t *testing.T) {
	r := ofCharges(t)
	r.receives(ofCharge("charge/paid", start(), inStatus("success")), start())
	r.receives(ofCharge("charge/created", start(), inStatus("queued"), func(c *recharge.Charge) { c.ID = "2" }), start())
	r.receives(ofCustomer("customer/deleted", recharge.Customer{ID: joID}), start())
	assert.Len(t, r.charges, 1)
	assert.Contains(t, r.charges, "580825303")
	r.receives(ofCharge("charge/updated", start().Add(time.Hour), func(c *recharge.Charge) { c.ID = "2" }), start())
	assert.Empty(t, r.last.Charges)
}
