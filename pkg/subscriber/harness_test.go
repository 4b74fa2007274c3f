package subscriber_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const (
	store = "acme"
	joID  = "246936001"
)

// start is when most customer histories begin.
func start() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

// savedRows are the rows in which states are saved, and the keys of those that were written.
type savedRows struct {
	customerstatetest.Memory

	state   *customerstate.Store
	written []string
	loaded  int
}

func newRows() *savedRows {
	r := &savedRows{}
	r.Rows = make(map[string][]byte)
	r.OnSet = func(key string, _ []byte) { r.written = append(r.written, key) }
	r.state = customerstatetest.Store(&r.Memory)
	return r
}

// load fails if the state that was kept is not the one that its rows are decoded to. It compares every fourth.
func (r *savedRows) load(customerID string) (*subscriber.State, error) {
	kept, err := loadFrom(r.state, customerID)
	if r.loaded++; err != nil || r.loaded%4 > 0 {
		return kept, err
	}
	decoded, err := loadFrom(customerstatetest.Store(&r.Memory), customerID)
	if a, b := fieldsOf(kept), fieldsOf(decoded); err == nil && a != b {
		err = fmt.Errorf("kept    %s\ndecoded %s", a, b)
	}
	return kept, err
}

// fieldsOf returns all fields that are not empty.
func fieldsOf(st *subscriber.State) string {
	body, err := json.Marshal(st)
	return fmt.Sprint(string(body), err)
}

func loadFrom(rows *customerstate.Store, customerID string) (*subscriber.State, error) {
	tx := rows.Begin(0)
	defer tx.Ended(false)
	return tx.Load(customerstate.Ref{Store: store, CustomerID: customerID})
}

func (r *savedRows) save(customerID string, before, after *subscriber.State) error {
	tx := r.state.Begin(0)
	defer tx.Ended(true)
	return tx.Save(customerstate.Ref{Store: store, CustomerID: customerID}, before, after)
}

// run decides on the webhooks and lookup answers of one customer in turn. It saves and loads the state each time.
type run struct {
	t        require.TestingT
	settings subscriber.Settings
	customer string
	rows     *savedRows
	// answers stands for the API. Requests that no record is parked for are collected.
	answers  func(recharge.LookupRequest) recharge.Lookup
	requests []recharge.LookupRequest
	all      subscriber.Decision
	last     subscriber.Decision
	charges  map[string]subscriber.ChargeRow // the table
}

func newRun(t require.TestingT, s subscriber.Settings) *run {
	return &run{t: t, settings: s, customer: joID, rows: newRows(), charges: make(map[string]subscriber.ChargeRow)}
}

// byID are the settings of a store that identifies customers by Recharge's ID and sends texts.
func byID() subscriber.Settings {
	return subscriber.Settings{
		Store: store, CustomerID: subscriber.ByRechargeID, ActiveProperty: true, SMS: true, API: true,
	}
}

// byEmail are those of a store that identifies them by e-mail.
func byEmail() subscriber.Settings {
	s := byID()
	s.CustomerID = subscriber.ByEmail
	return s
}

func (r *run) state() *subscriber.State {
	m, err := r.rows.load(r.customer)
	require.NoError(r.t, err)
	return m
}

// receives decides on a webhook. It looks the customer up at once if the decision requires it.
func (r *run) receives(w recharge.Webhook, at time.Time) subscriber.Decision {
	before := r.state()
	decision, after, err := subscriber.Decide(r.settings, before, w, at)
	if known := r.lookUp(before, err, at); known != nil {
		decision, after, err = subscriber.Decide(r.settings, known, w, at)
	}
	require.NoError(r.t, err)
	require.NoError(r.t, r.rows.save(r.customer, before, after))
	return r.tracked(decision)
}

// tracked returns a decision without facts and charges, which tests of their own check; r.last has all.
func (r *run) tracked(d subscriber.Decision) subscriber.Decision {
	r.collect(d)
	r.last = d
	d.Facts, d.Charges, d.ChargeOwners = nil, nil, nil
	return d
}

// lookUp looks the customer up if err requires it, and returns the state with the answer applied.
func (r *run) lookUp(before *subscriber.State, err error, at time.Time) *subscriber.State {
	var needed *subscriber.LookupNeeded
	if !errors.As(err, &needed) {
		return nil
	}
	require.NotNil(r.t, r.answers, "there is no API")
	request := recharge.LookupRequest{Kind: recharge.LookupCustomer, Due: at}
	decision, known, err := apply(r.settings, before, r.customer, answer{Lookup: r.answers(request)}, at)
	require.NoError(r.t, err)
	r.collect(decision)
	return known
}

// answer is an answer of the API, or an import.
type answer struct {
	recharge.Lookup

	imported bool
}

// apply applies an answer about a customer.
func apply(s subscriber.Settings, st *subscriber.State, customerID string, a answer, at time.Time) (subscriber.Decision, *subscriber.State, error) {
	a.Store, a.CustomerID = s.Store, customerID
	return subscriber.ApplyLookup(s, st, a.Lookup, a.imported, at)
}

// applies applies an answer of the API.
func (r *run) applies(a recharge.Lookup, at time.Time) subscriber.Decision {
	return r.apply(answer{Lookup: a}, at)
}

// imports applies an import.
func (r *run) imports(a recharge.Lookup, at time.Time) subscriber.Decision {
	return r.apply(answer{a, true}, at)
}

func (r *run) apply(a answer, at time.Time) subscriber.Decision {
	before := r.state()
	decision, after, err := apply(r.settings, before, r.customer, a, at)
	if known := r.lookUp(before, err, at); known != nil {
		decision, after, err = apply(r.settings, known, r.customer, a, at)
	}
	require.NoError(r.t, err)
	require.NoError(r.t, r.rows.save(r.customer, before, after))
	return r.tracked(decision)
}

// answersAll applies the API's answers until no request is left.
func (r *run) answersAll(at time.Time) {
	for len(r.requests) > 0 {
		request := r.requests[0]
		r.requests = r.requests[1:]
		if at.Before(request.Due) {
			at = request.Due
		}
		r.applies(r.answers(request), at)
	}
}

func (r *run) collect(d subscriber.Decision) {
	switch {
	case d.Empty():
		require.NotEmpty(r.t, d.Skip, "no output without a reason")
	case len(d.Events)+len(d.Triggers)+len(d.Revocations) > 0:
		require.Empty(r.t, d.Skip, "no reason with an output")
	}
	r.all.Facts = append(r.all.Facts, d.Facts...)
	for _, row := range d.Charges {
		delete(r.charges, row.ChargeID)
		if row.Value != nil {
			r.charges[row.ChargeID] = *row.Value.(*subscriber.ChargeRow) //nolint:forcetypeassert // the only type
		}
	}
	r.all.Events = append(r.all.Events, d.Events...)
	r.all.Triggers = append(r.all.Triggers, d.Triggers...)
	r.all.Revocations = append(r.all.Revocations, d.Revocations...)
	r.requests = append(r.requests, d.Lookups...)
}

// propertyValues are the values of the active property in a decision's events, each with its destination ID.
func (r *run) propertyValues(d subscriber.Decision) []string {
	var values []string
	for _, e := range d.Events {
		if e.Property != nil {
			value := "FALSE"
			if e.Property.Value {
				value = "TRUE"
			}
			values = append(values, value+" "+r.settings.DestinationID(e.RechargeCustomerID, e.Email))
		}
	}
	return values
}

// flows are those of a decision's triggers.
func flows(d subscriber.Decision) []string {
	var found []string
	for _, t := range d.Triggers {
		found = append(found, string(t.Flow))
	}
	return found
}

// statuses are those of a decision's events about subscriptions and charges.
func statuses(d subscriber.Decision) []string {
	var found []string
	for _, e := range d.Events {
		if e.Status != "" {
			found = append(found, e.Status)
		}
	}
	return found
}

// jo is the usual customer.
func jo(at time.Time) recharge.Customer {
	return recharge.Customer{
		ID: joID, Email: "jo.bean@example.com", FirstName: "Jo", LastName: "Bean", Phone: "+15035550100", PhoneKnown: true,
		PlatformID: "5213433266347", CreatedAt: start(), UpdatedAt: at,
	}
}

func counted(c recharge.Customer, active int) recharge.Customer {
	c.Counted, c.ActiveSubscriptions, c.TotalSubscriptions = true, active, active
	return c
}

// about is a webhook of the usual subscription, changed at the given time.
func about(topic recharge.Topic, at time.Time, change ...func(*recharge.Subscription)) recharge.Webhook {
	s := recharge.Subscription{
		ID: "784594001", CustomerID: joID, AddressID: "178918", Status: "active", NextChargeDate: "2026-03-31",
		ProductTitle: "Beans", CreatedAt: start(), UpdatedAt: at,
	}
	if topic == "subscription/cancelled" {
		s.Status, s.CancelledAt = "cancelled", at
	}
	for _, c := range change {
		c(&s)
	}
	return recharge.Webhook{Topic: topic, Version: recharge.Version202111, Subscription: &s, Hash: hashOf(topic, s)}
}

func ofCustomer(topic recharge.Topic, c recharge.Customer) recharge.Webhook {
	return recharge.Webhook{Topic: topic, Version: recharge.Version202111, Customer: &c, Hash: hashOf(topic, c)}
}

func with(w recharge.Webhook, c recharge.Customer) recharge.Webhook {
	w.Customer = &c
	w.Hash = hashOf(w.Topic, w.Hash+c.Email)
	return w
}

// hashOf stands for the hash of a body.
func hashOf(topic recharge.Topic, body any) string {
	return recharge.DeliveryHash(topic, fmt.Append(nil, body))
}
