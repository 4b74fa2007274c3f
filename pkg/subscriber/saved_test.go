package subscriber_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A saved state is loaded as it was, whether it was saved once or after each webhook.
func TestSaveAndLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history(8).Draw(t, "history")
		each, whole := newRun(t, byID()), newRows()
		each.settings.SMS = false // no lookup, because its mark is not saved
		known := &subscriber.State{}
		for _, m := range h {
			for _, w := range m.sent {
				each.receives(w, m.at)
				var err error
				_, known, err = subscriber.Decide(each.settings, known, w, m.at)
				require.NoError(t, err)
			}
		}
		require.NoError(t, whole.save(joID, &subscriber.State{}, known))
		require.Equal(t, whole.Rows, each.rows.Rows)
		again, err := whole.load(joID)
		require.NoError(t, err)
		if len(webhooks(h)) > 0 {
			require.Equal(t, known, again)
		}
	})
}

// Each customer has their own rows.
func TestRowsOfTwoCustomers(t *testing.T) {
	rows := newRows()
	one, ten := newRun(t, byID()), newRun(t, byID())
	one.customer, ten.customer = "1", "10"
	one.rows, ten.rows = rows, rows
	for _, r := range []*run{one, ten} {
		c := jo(start())
		c.ID = r.customer
		w := with(about("subscription/created", start(), func(s *recharge.Subscription) { s.CustomerID = r.customer }), c)
		r.receives(w, start())
	}
	assert.Len(t, one.state().SubscriptionRows(store, "1"), 1)
	assert.Equal(t, []string{"created"}, statuses(one.all))
	assert.Equal(t, []string{"created"}, statuses(ten.all), "the same id of another customer is no duplicate")
	tx := rows.state.Begin(0)
	defer tx.Ended(false)
	other, err := tx.Load(customerstate.Ref{Store: "acme-2", CustomerID: "1"})
	require.NoError(t, err)
	assert.False(t, other.Customer.Seen)
}

// One webhook writes only the rows that it changes, however large the state.
func TestOneWebhookWritesFewRows(t *testing.T) {
	r := newRun(t, byID())
	r.receives(ofCustomer("customer/created", counted(jo(start()), 0)), start())
	const many = 60
	for i := range many {
		at := start().AddDate(0, i%12, 0)
		r.receives(about("subscription/created", at, numbered(strconv.Itoa(i))), at)
	}
	at := start().AddDate(1, 0, 0)
	tests := []struct {
		name string
		w    recharge.Webhook
		want []string
	}{
		{"a new fact", about("subscription/paused", at, numbered("7")), []string{"emitted/acme/" + joID + "/2027-03", "subscription/acme/" + joID + "/7"}},
		{"delivered again", about("subscription/paused", at, numbered("7")), nil},
		{"a newer snapshot", about("subscription/updated", at.Add(time.Hour), numbered("7")), []string{"subscription/acme/" + joID + "/7"}},
		{"an older one", about("subscription/updated", start().Add(-time.Hour), numbered("7")), nil},
		{"a charge", ofCharge("charge/paid", at), []string{"customer/acme/" + joID, "emitted/acme/" + joID + "/2027-03"}},
		{"a customer", ofCustomer("customer/deactivated", counted(jo(at), 5)), []string{"customer/acme/" + joID}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r.rows.written = nil
			r.receives(test.w, at)
			slices.Sort(r.rows.written)
			assert.Equal(t, test.want, r.rows.written)
			bytes := 0
			for _, key := range r.rows.written {
				bytes += len(r.rows.Rows[key])
			}
			assert.Less(t, bytes, 1500)
		})
	}
}

// An unreadable row is an error, not a missing row.
func TestUnreadableRows(t *testing.T) {
	for _, key := range []string{"customer/acme/" + joID, "subscription/acme/" + joID + "/1", "emitted/acme/" + joID + "/2026-03"} {
		rows := newRows()
		rows.Rows["customer/acme/"+joID] = []byte("\x01" + `{"split":true,"customer":{}}`)
		rows.Rows[key] = []byte("{")
		_, err := rows.load(joID)
		require.ErrorContains(t, err, joID)
	}
}

// Two decisions on one state do not affect each other.
func TestDecisionsOnOneStateAreIndependent(t *testing.T) {
	s := byID()
	s.SMS = false
	paid := func(id int) recharge.Webhook {
		return ofCharge("charge/paid", start(), func(c *recharge.Charge) { c.ID = strconv.Itoa(id) })
	}
	decide := func(m *subscriber.State, id int) (subscriber.Decision, *subscriber.State) {
		d, after, err := subscriber.Decide(s, m, paid(id), start())
		require.NoError(t, err)
		return d, after
	}
	m := &subscriber.State{}
	for id := range 40 {
		_, one := decide(m, 1000+id)
		_, two := decide(m, 2000+id)
		again, _ := decide(one, 1000+id)
		require.Equal(t, reason.Duplicate, again.Skip)
		again, _ = decide(two, 2000+id)
		require.Equal(t, reason.Duplicate, again.Skip)
		again, m = decide(two, 1000+id)
		require.Len(t, again.Events, 1)
	}
}

// Emitted facts expire later than raw webhooks do.
func TestEmittedFactsExpire(t *testing.T) {
	w := ofCharge("charge/paid", start())
	tests := []struct {
		name string
		// between is when another webhook of the customer is received.
		between, again time.Time
		duplicate      bool
	}{
		{"at once", start(), start(), true},
		{"400 days later", start().AddDate(0, 0, 400), start().AddDate(0, 0, 400), true},
		{"at the end of the fourteenth month", time.Date(2027, 5, 31, 23, 59, 59, 0, time.UTC), time.Date(2027, 5, 31, 23, 59, 59, 0, time.UTC), true},
		{"in the fifteenth", time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), false},
		{"a zone where it is still May", time.Date(2027, 5, 31, 20, 0, 0, 0, time.FixedZone("", -5*3600)), time.Date(2027, 5, 31, 20, 0, 0, 0, time.FixedZone("", -5*3600)), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS = false
			r.receives(w, start())
			r.receives(ofCharge("charge/created", start()), test.between)
			assert.Equal(t, test.duplicate, r.receives(w, test.again).Skip == reason.Duplicate)
			assert.LessOrEqual(t, len(r.state().Emitted), 15)
		})
	}
	t.Run("every day of four years", func(t *testing.T) {
		for day := start(); day.Before(start().AddDate(4, 0, 0)); day = day.AddDate(0, 0, 1) {
			r := newRun(t, byID())
			r.settings.SMS = false
			r.receives(w, day)
			later := day.AddDate(0, 0, 400)
			r.receives(ofCharge("charge/created", start()), later)
			require.Equal(t, reason.Duplicate, r.receives(w, later).Skip, day)
		}
	})
}

// Emitted facts are saved by month of receipt.
func TestEmittedRows(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.Status = "success" }), start())
	r.receives(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.ID = "2" }), start().AddDate(0, 1, 0))
	assert.Len(t, r.state().Emitted["2026-03"], 2)
	assert.Len(t, r.state().Emitted["2026-04"], 1)
}

// The state of a customer is one row, until it exceeds 8 KiB: then it is split, and stays so.
func TestALargeStateIsSplit(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS = false
	r.receives(ofCustomer("customer/created", counted(jo(start()), 0)), start())
	for id := 0; len(r.rows.Rows) == 1; id++ {
		require.LessOrEqual(t, len(r.rows.Rows["customer/acme/"+joID]), 8<<10)
		r.receives(about("subscription/created", start(), numbered(strconv.Itoa(id))), start())
	}
	before := r.state()
	require.Greater(t, len(before.Subscriptions), 10)
	assert.Len(t, r.rows.Rows, 1+len(before.Subscriptions)+1, "the customer, the subscriptions, the facts of a month")
	assert.Less(t, len(r.rows.Rows["customer/acme/"+joID]), 1<<10)
	assert.Equal(t, reason.Duplicate, r.receives(about("subscription/created", start(), numbered("0")), start()).Skip)

	again := newRows()
	require.NoError(t, again.save(joID, &subscriber.State{}, before))
	assert.Equal(t, r.rows.Rows, again.Rows)

	r.receives(ofCustomer("customer/deleted", jo(start().Add(time.Hour))), start().Add(time.Hour))
	assert.Len(t, r.rows.Rows, 2, "the customer, the facts of a month")
	assert.Contains(t, string(r.rows.Rows["customer/acme/"+joID]), `{"split":true,"customer":{"deleted_at":`)
}
