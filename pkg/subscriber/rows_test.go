package subscriber_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A memory that was kept is recalled as it was, whether it was written at once or bit by bit.
func TestKeptAndRecalled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history(8).Draw(t, "history")
		bits, whole := newLife(t, byID()), newRows()
		bits.settings.SMS = false // nobody is looked up, which isn't kept
		known := &subscriber.Memory{}
		for _, m := range h {
			for _, w := range m.sent {
				bits.hears(w, m.at)
				var err error
				_, known, err = subscriber.Decide(bits.settings, known, w, m.at)
				require.NoError(t, err)
			}
		}
		require.NoError(t, known.Keep(whole, store, joID, &subscriber.Memory{}))
		require.Equal(t, whole.rows, bits.rows.rows)
		again, err := subscriber.Recall(whole, store, joID)
		require.NoError(t, err)
		if len(webhooks(h)) > 0 {
			require.Equal(t, known, again)
		}
	})
}

// A customer has rows of their own, and none of another's.
func TestRowsOfTwoCustomers(t *testing.T) {
	rows := newRows()
	one, ten := newLife(t, byID()), newLife(t, byID())
	one.customer, ten.customer = "1", "10"
	one.rows, ten.rows = rows, rows
	for _, l := range []*life{one, ten} {
		c := jo(start())
		c.ID = l.customer
		w := with(about("subscription/created", start(), func(s *recharge.Subscription) { s.CustomerID = l.customer }), c)
		l.hears(w, start())
	}
	assert.Len(t, one.memory().SubscriptionRows(store, "1"), 1)
	assert.Equal(t, []string{"created"}, statuses(one.all))
	assert.Equal(t, []string{"created"}, statuses(ten.all), "the same id at another customer was not told")
	other, err := subscriber.Recall(rows, "acme-2", "1")
	require.NoError(t, err)
	assert.False(t, other.Customer.Seen)
}

// One webhook rewrites what it changes, however much is known.
func TestOneWebhookWritesFewRows(t *testing.T) {
	l := newLife(t, byID())
	l.hears(ofCustomer("customer/created", counted(jo(start()), 0)), start())
	const many = 60
	for i := range many {
		at := start().AddDate(0, i%12, 0)
		l.hears(about("subscription/created", at, numbered(strconv.Itoa(i))), at)
	}
	at := start().AddDate(1, 0, 0)
	tests := []struct {
		name string
		w    recharge.Webhook
		want []string
	}{
		{"a new fact", about("subscription/paused", at, numbered("7")), []string{"subscription/acme/" + joID + "/7", "told/acme/" + joID + "/2027-03"}},
		{"delivered again", about("subscription/paused", at, numbered("7")), nil},
		{"a newer snapshot", about("subscription/updated", at.Add(time.Hour), numbered("7")), []string{"subscription/acme/" + joID + "/7"}},
		{"an older one", about("subscription/updated", start().Add(-time.Hour), numbered("7")), nil},
		{"a charge", ofCharge("charge/paid", at), []string{"told/acme/" + joID + "/2027-03"}},
		{"a customer", ofCustomer("customer/deactivated", counted(jo(at), 5)), []string{"customer/acme/" + joID}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l.rows.written = nil
			l.hears(test.w, at)
			slices.Sort(l.rows.written)
			assert.Equal(t, test.want, l.rows.written)
			bytes := 0
			for _, key := range l.rows.written {
				bytes += len(l.rows.rows[key])
			}
			assert.Less(t, bytes, 1500)
		})
	}
}

// A row that can't be read is not taken for none.
func TestUnreadableRows(t *testing.T) {
	for _, key := range []string{"customer/acme/" + joID, "subscription/acme/" + joID + "/1"} {
		rows := newRows()
		rows.Set([]byte(key), []byte("{"))
		_, err := subscriber.Recall(rows, store, joID)
		require.ErrorContains(t, err, joID)
	}
}

// Two decisions with one memory know nothing of each other.
func TestOneMemoryTwoDecisions(t *testing.T) {
	s := byID()
	s.SMS = false
	paid := func(id int) recharge.Webhook {
		return ofCharge("charge/paid", start(), func(c *recharge.Charge) { c.ID = strconv.Itoa(id) })
	}
	decide := func(m *subscriber.Memory, id int) (subscriber.Decision, *subscriber.Memory) {
		d, after, err := subscriber.Decide(s, m, paid(id), start())
		require.NoError(t, err)
		return d, after
	}
	m := &subscriber.Memory{}
	for id := range 40 {
		_, one := decide(m, 1000+id)
		_, two := decide(m, 2000+id)
		again, _ := decide(one, 1000+id)
		require.Equal(t, subscriber.SkipTold, again.Skip)
		again, _ = decide(two, 2000+id)
		require.Equal(t, subscriber.SkipTold, again.Skip)
		again, m = decide(two, 1000+id)
		require.Len(t, again.Events, 1)
	}
}

// Facts are remembered for longer than raw webhooks are kept, and then no more.
func TestToldIsForgotten(t *testing.T) {
	w := ofCharge("charge/paid", start())
	tests := []struct {
		name string
		// between is when something else is heard of the customer.
		between, again time.Time
		told           bool
	}{
		{"at once", start(), start(), true},
		{"400 days later", start().AddDate(0, 0, 400), start().AddDate(0, 0, 400), true},
		{"at the end of the fourteenth month", time.Date(2027, 5, 31, 23, 59, 59, 0, time.UTC), time.Date(2027, 5, 31, 23, 59, 59, 0, time.UTC), true},
		{"in the fifteenth", time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), false},
		{"a zone where it is still May", time.Date(2027, 5, 31, 20, 0, 0, 0, time.FixedZone("", -5*3600)), time.Date(2027, 5, 31, 20, 0, 0, 0, time.FixedZone("", -5*3600)), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byID())
			l.settings.SMS = false
			l.hears(w, start())
			l.hears(ofCharge("charge/created", start()), test.between)
			assert.Equal(t, test.told, l.hears(w, test.again).Skip == subscriber.SkipTold)
			months := 0
			for key := range l.rows.rows {
				if strings.HasPrefix(key, "told/") {
					months++
				}
			}
			assert.LessOrEqual(t, months, 15)
		})
	}
	t.Run("every day of four years", func(t *testing.T) {
		for day := start(); day.Before(start().AddDate(4, 0, 0)); day = day.AddDate(0, 0, 1) {
			l := newLife(t, byID())
			l.settings.SMS = false
			l.hears(w, day)
			later := day.AddDate(0, 0, 400)
			l.hears(ofCharge("charge/created", start()), later)
			require.Equal(t, subscriber.SkipTold, l.hears(w, later).Skip, day)
		}
	})
}

// Told by the months of their receipt, eight bytes each.
func TestToldRows(t *testing.T) {
	l := newLife(t, byID())
	l.settings.SMS = false
	l.hears(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.Status = "success" }), start())
	l.hears(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.ID = "2" }), start().AddDate(0, 1, 0))
	assert.Len(t, l.rows.rows["told/acme/"+joID+"/2026-03"], 16)
	assert.Len(t, l.rows.rows["told/acme/"+joID+"/2026-04"], 8)
}
