package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// factNames are the statuses of the last decision's facts.
func (r *run) factNames() (names []string) {
	for _, e := range r.last.Facts {
		names = append(names, e.Status)
	}
	return names
}

// A webhook is a fact, with the values that it changed, whatever the store sends.
func TestFacts(t *testing.T) {
	at := start().Add(24 * time.Hour)
	price := func(price string) func(*recharge.Subscription) {
		return func(s *recharge.Subscription) { s.Price = price }
	}
	product := func(id string) func(*recharge.Subscription) {
		return func(s *recharge.Subscription) { s.ProductID, s.ProductTitle = id, "Product "+id }
	}
	expired := func(s *recharge.Subscription) { s.Status = "expired" }
	moved := func(s *recharge.Subscription) { s.NextChargeDate = "2026-04-15" }
	charge := func(status, errorType string, attempts int, refunds string) func(*recharge.Charge) {
		return func(c *recharge.Charge) {
			c.Status, c.ErrorType, c.Attempts, c.TotalRefunds = status, errorType, attempts, refunds
		}
	}
	order := func(topic recharge.Topic) recharge.Webhook {
		return recharge.Webhook{Topic: topic, Hash: hashOf(topic, ""), Order: &recharge.Order{
			ID: "5", ChargeID: "580825303", CustomerID: joID, Number: "1016", UpdatedAt: at, ScheduledDate: "2026-03-31",
		}}
	}
	for name, test := range map[string]struct {
		before, then recharge.Webhook
		want         []string
		previous     *subscriber.Previous
	}{
		"paused":                     {about("subscription/created", start()), about("subscription/paused", at), []string{"paused"}, nil},
		"skipped, moved":             {about("subscription/created", start()), about("subscription/skipped", at, moved), []string{"skipped", "changed"}, &subscriber.Previous{NextChargeDate: "2026-03-31"}},
		"unskipped":                  {about("subscription/created", start()), about("subscription/unskipped", at), []string{"unskipped"}, nil},
		"resumed":                    {about("subscription/paused", start()), about("subscription/activated", at), []string{"resumed"}, nil},
		"activated before the pause": {about("subscription/paused", at), about("subscription/activated", start()), nil, nil},
		"activated":                  {about("subscription/cancelled", start()), about("subscription/activated", at), nil, nil},
		"expired":                    {about("subscription/created", start()), about("subscription/updated", at, expired), []string{"expired"}, nil},
		"another price":              {about("subscription/created", start(), price("20.00")), about("subscription/updated", at, price("25")), []string{"changed"}, &subscriber.Previous{Price: "20.00"}},
		"the same price":             {about("subscription/created", start(), price("20.00")), about("subscription/updated", at, price("20")), nil, nil},
		"no price before":            {about("subscription/created", start()), about("subscription/updated", at, price("20")), nil, nil},
		"swapped":                    {about("subscription/created", start(), product("1")), about("subscription/swapped", at, product("2")), []string{"swapped"}, &subscriber.Previous{ProductID: "1", ProductTitle: "Product 1"}},
		"swapped, seen in an update": {
			about("subscription/created", start(), product("1")), about("subscription/updated", at, product("2")),
			[]string{"swapped"},
			&subscriber.Previous{ProductID: "1", ProductTitle: "Product 1"},
		},
		"swapped, nothing known":           {ofCustomer("customer/created", jo(start())), about("subscription/swapped", at, product("2")), []string{"swapped"}, nil},
		"swapped and an update before":     {about("subscription/updated", at, product("2")), about("subscription/swapped", at, product("2")), []string{"swapped"}, nil},
		"a newer update was received":      {about("subscription/updated", at.Add(time.Hour), price("20")), about("subscription/updated", at, price("25")), nil, nil},
		"a renewal":                        {about("subscription/created", start()), about("subscription/updated", start().AddDate(0, 0, 40), moved), nil, nil},
		"canceled":                         {about("subscription/created", start()), about("subscription/cancelled", at), nil, nil},
		"upcoming":                         {ofCharge("charge/created", start()), ofCharge("charge/upcoming", at), []string{"upcoming"}, nil},
		"upcoming on another day":          {ofCharge("charge/created", start()), ofCharge("charge/upcoming", at, func(c *recharge.Charge) { c.ScheduledDate = "2026-04-02" }), []string{"upcoming"}, &subscriber.Previous{ScheduledDate: "2026-03-31"}},
		"failed":                           {ofCharge("charge/created", start()), ofCharge("charge/failed", at, charge("error", "CARD_DECLINED", 1, "")), []string{"failed"}, nil},
		"failed, not tried again":          {ofCharge("charge/created", start()), ofCharge("charge/failed", at, charge("error", "DO_NOT_HONOR", 1, "")), []string{"failed", "gave_up"}, nil},
		"gave up":                          {ofCharge("charge/failed", start(), charge("error", "UNEXPECTED_INVENTORY_LEVEL", 6, "")), ofCharge("charge/max_retries_reached", at, charge("error", "CLOSED_MAX_RETRIES_REACHED", 6, "")), []string{"gave_up"}, nil},
		"refunded":                         {ofCharge("charge/refunded", start(), charge("partially_refunded", "", 0, "5.00")), ofCharge("charge/refunded", at, charge("refunded", "", 0, "12.00")), []string{"refunded"}, &subscriber.Previous{TotalRefunds: "5.00"}},
		"refunded, delivered again":        {ofCharge("charge/refunded", at, charge("refunded", "", 0, "12.00")), ofCharge("charge/refunded", at, charge("refunded", "", 0, "12.00")), nil, nil},
		"an order processed":               {ofCharge("charge/created", start()), order("order/processed"), []string{"order_processed"}, nil},
		"an order created":                 {ofCharge("charge/created", start()), order("order/created"), nil, nil},
		"a charge updated":                 {ofCharge("charge/created", start()), ofCharge("charge/updated", at), nil, nil},
		"a charge that has been processed": {ofCharge("charge/created", start()), ofCharge("charge/paid", at), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := byID()
			s.SMS, s.API = false, false
			r := newRun(t, s)
			r.receives(test.before, start())
			r.receives(test.then, at)
			assert.Equal(t, test.want, r.factNames())
			if len(test.want) > 0 {
				assert.Equal(t, test.previous, r.last.Facts[0].Previous)
				assert.Empty(t, r.last.Facts[0].Email, "nobody tracks it")
			}
			r.receives(test.then, at.Add(time.Hour))
			assert.Empty(t, r.factNames(), "delivered again")
		})
	}
}

// What is given up has the reason of the last attempt that had one, and so has the text about it.
func TestReasonOutlivesMaxRetries(t *testing.T) {
	r := newRun(t, byID())
	r.settings.API = false
	at := start()
	for i, errorType := range []string{"CARD_DECLINED", "UNEXPECTED_INVENTORY_LEVEL"} {
		at = at.Add(24 * time.Hour)
		r.receives(with(ofCharge("charge/failed", at, func(c *recharge.Charge) { c.ErrorType, c.Attempts, c.Status = errorType, i+1, "error" }), jo(at)), at)
	}
	d := r.receives(ofCharge("charge/max_retries_reached", at.Add(time.Second), func(c *recharge.Charge) {
		c.ErrorType, c.Status = "CLOSED_MAX_RETRIES_REACHED", "error"
	}), at)
	assert.Empty(t, d.Triggers, "the customer can't fix the stock")
	assert.Len(t, d.Revocations, 1)
	require.Equal(t, []string{"gave_up"}, r.factNames())
	assert.Equal(t, "UNEXPECTED_INVENTORY_LEVEL", r.last.Facts[0].Charge.ErrorType)
	assert.Equal(t, subscriber.NotCustomerFixable, r.last.Facts[0].Charge.ErrorKind)
	assert.Equal(t, "CLOSED_MAX_RETRIES_REACHED", r.charges["580825303"].ErrorType, "the table shows the newest body")
}

// A fact that the store tracks has the customer's e-mail, and needs it where the store identifies customers by it.
func TestTrackedFacts(t *testing.T) {
	s := byEmail()
	s.SMS, s.ActiveProperty, s.Extras = false, false, []string{"paused"}
	_, _, err := subscriber.Decide(s, &subscriber.State{}, about("subscription/paused", start()), start())
	var needed *subscriber.LookupNeeded
	require.ErrorAs(t, err, &needed)
	d, _, err := subscriber.Decide(s, &subscriber.State{}, with(about("subscription/paused", start()), jo(start())), start())
	require.NoError(t, err)
	require.Len(t, d.Facts, 1)
	assert.Equal(t, "jo.bean@example.com", d.Facts[0].Email)
	d, _, err = subscriber.Decide(s, &subscriber.State{}, about("subscription/skipped", start()), start())
	require.NoError(t, err, "nobody tracks it, so nobody is looked up")
	assert.Len(t, d.Facts, 1)
}

// The store's currency stands in where a body has none.
func TestCurrencyOfTheStore(t *testing.T) {
	s := byID()
	s.SMS, s.Currency = false, "EUR"
	r := newRun(t, s)
	r.receives(about("subscription/created", start()), start())
	assert.Equal(t, "EUR", r.all.Events[0].Subscription.Currency)
	assert.Equal(t, "EUR", r.state().SubscriptionRows(store, joID)["784594001"].Currency)
	r.receives(ofCharge("charge/created", start(), func(c *recharge.Charge) { c.Currency = "USD" }), start())
	assert.Equal(t, "USD", r.charges["580825303"].Currency)
}

// A cancellation is involuntary if Recharge says so by its flag or its own reason, or if it comes from a lookup after the last attempt.
func TestCancellations(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*recharge.Subscription)
		want   subscriber.Cancellation
	}{
		"a reason":       {func(s *recharge.Subscription) { s.CancellationReason = "This is too expensive" }, subscriber.Voluntary},
		"none":           {func(*recharge.Subscription) {}, subscriber.Voluntary},
		"the flag":       {func(s *recharge.Subscription) { s.MaxRetriesReached = true }, subscriber.Involuntary},
		"Recharge's own": {func(s *recharge.Subscription) { s.CancellationReason = "Max Number of Charge attempts reached" }, subscriber.Involuntary},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byID())
			r.settings.SMS, r.settings.API = false, false
			d := r.receives(about("subscription/cancelled", start(), test.change), start())
			assert.Equal(t, test.want, d.Events[0].Subscription.Cancellation)
			assert.Equal(t, test.want, r.state().SubscriptionRows(store, joID)["784594001"].Cancellation)
		})
	}
}

// The number of an order is in later rows of its charge, and the paid charges of a customer are counted from the first on.
func TestOrdersOfACharge(t *testing.T) {
	r := newRun(t, byID())
	r.settings.SMS, r.settings.API = false, false
	r.receives(ofCustomer("customer/created", jo(start())), start())
	at := start()
	for n, id := range []string{"1", "2"} {
		at = at.Add(time.Hour)
		paid := func(c *recharge.Charge) { c.ID, c.Status = id, "success" }
		d := r.receives(ofCharge("charge/paid", at, paid), at)
		require.Len(t, d.Events, 1)
		assert.Equal(t, n+1, d.Events[0].Charge.NthOrder)
		order := recharge.Webhook{Topic: "order/created", Order: &recharge.Order{ID: "7" + id, ChargeID: id, CustomerID: joID, Number: "10" + id, UpdatedAt: at}}
		assert.Equal(t, reason.StateUpdated, r.receives(order, at).Skip)
		r.receives(ofCharge("charge/updated", at.Add(time.Minute), paid), at)
		assert.Equal(t, "10"+id, r.charges[id].OrderNumber)
		assert.Equal(t, n+1, r.charges[id].NthOrder)
	}
	other := newRun(t, byID())
	other.settings.SMS, other.settings.API = false, false
	other.receives(ofCharge("charge/paid", start(), func(c *recharge.Charge) { c.Status = "success" }), start())
	assert.Zero(t, other.charges["580825303"].NthOrder, "they may have had orders before")
}
