package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
)

// CustomerRow is a row of the public table recharge.customers.
type CustomerRow struct {
	Store              string `json:"store"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	Email              string `json:"email,omitempty"`
	FirstName          string `json:"first_name,omitempty"`
	LastName           string `json:"last_name,omitempty"`
	Phone              string `json:"phone,omitempty"`
	PlatformID         string `json:"platform_id,omitempty"`
	// SubscriptionActive is whether any subscription is active; absent if unknown.
	SubscriptionActive *bool     `json:"subscription_active,omitempty"`
	CreatedAt          time.Time `json:"created_at,omitzero"`
	UpdatedAt          time.Time `json:"updated_at,omitzero"`
}

// AppendJSON appends the row as JSON.
func (r *CustomerRow) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	w.String("store", r.Store)
	w.String("recharge_customer_id", r.RechargeCustomerID)
	w.OptString("email", r.Email)
	w.OptString("first_name", r.FirstName)
	w.OptString("last_name", r.LastName)
	w.OptString("phone", r.Phone)
	w.OptString("platform_id", r.PlatformID)
	if r.SubscriptionActive != nil {
		w.Bool("subscription_active", *r.SubscriptionActive)
	}
	w.OptTime("created_at", r.CreatedAt)
	w.OptTime("updated_at", r.UpdatedAt)
	w.End()
	return w.Bytes()
}

// SubscriptionRow is a row of the public table recharge.subscriptions.
type SubscriptionRow struct {
	Store              string `json:"store"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	Subscription
	Status string `json:"status"` // active, canceled, expired; others may come
}

// AppendJSON appends the row as JSON.
func (r SubscriptionRow) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	w.String("store", r.Store)
	w.String("recharge_customer_id", r.RechargeCustomerID)
	r.appendMembers(w)
	w.String("status", r.Status)
	w.End()
	return w.Bytes()
}

// CustomerRow returns the customer's row, nil if there is none.
func (st *State) CustomerRow(store, customer string) *CustomerRow {
	k := st.Customer
	if st.gone() || !k.Seen && k.Email == "" && len(st.Subscriptions) == 0 {
		return nil
	}
	row := &CustomerRow{
		Store: store, RechargeCustomerID: customer, Email: k.Email, FirstName: k.FirstName, LastName: k.LastName,
		Phone: k.Phone, PlatformID: k.PlatformID, CreatedAt: k.CreatedAt, UpdatedAt: k.UpdatedAt,
	}
	if value, _, known := st.active(); known {
		row.SubscriptionActive = &value
	}
	return row
}

// equal compares all but the time stamp: a row is not written for that alone.
func (r *CustomerRow) equal(other *CustomerRow) bool {
	mine, others := *r, *other
	mine.SubscriptionActive, others.SubscriptionActive = nil, nil
	mine.UpdatedAt, others.UpdatedAt = time.Time{}, time.Time{}
	return mine == others && equalTo(r.SubscriptionActive, other.SubscriptionActive)
}

// SubscriptionRows returns the rows of the customer's subscriptions by id, without deleted ones and one-time products.
func (st *State) SubscriptionRows(store, customer string) map[string]SubscriptionRow {
	rows := make(map[string]SubscriptionRow)
	for id := range st.Subscriptions {
		if row, ok := st.subscriptionRow(store, customer, id); ok {
			rows[id] = row
		}
	}
	return rows
}

func (st *State) subscriptionRow(store, customer, id string) (row SubscriptionRow, ok bool) {
	s, known := st.Subscriptions[id]
	if !known || !s.exists() {
		return SubscriptionRow{}, false
	}
	row = SubscriptionRow{Store: store, RechargeCustomerID: customer, Subscription: s.Subscription, Status: publicStatus(s.Status)}
	row.UpdatedAt = s.UpdatedAt
	return row, true
}

// publicStatus spells a status as our own topics do.
func publicStatus(status string) string {
	if status == statusCancelled {
		return StatusCanceled
	}
	return status
}

// equal compares all but the time stamp: a row is not written for that alone.
func (r SubscriptionRow) equal(other SubscriptionRow) bool {
	r.UpdatedAt = other.UpdatedAt
	return r == other
}

// TableRow is a changed row of a public table.
type TableRow struct {
	// SubscriptionID or ChargeID is set, or none for the customer's row.
	SubscriptionID, ChargeID string
	// Value is a *CustomerRow, a SubscriptionRow or a *ChargeRow; nil for a row that is removed.
	Value any
}

// ChangedRows returns the rows of the public tables that differ between two states of a customer.
func ChangedRows(store, customer string, before, after *State) []TableRow {
	changed := changedCustomer(before.CustomerRow(store, customer), after.CustomerRow(store, customer))
	for _, id := range after.SubscriptionIDs() {
		row, ok := after.subscriptionRow(store, customer, id)
		old, existed := before.subscriptionRow(store, customer, id)
		if ok && (!existed || !row.equal(old)) {
			changed = append(changed, TableRow{SubscriptionID: id, Value: row})
		}
	}
	for _, id := range before.SubscriptionIDs() {
		_, existed := before.subscriptionRow(store, customer, id)
		if _, ok := after.subscriptionRow(store, customer, id); existed && !ok {
			changed = append(changed, TableRow{SubscriptionID: id})
		}
	}
	return changed
}

func changedCustomer(before, after *CustomerRow) []TableRow {
	switch {
	case after != nil && (before == nil || !after.equal(before)):
		return []TableRow{{Value: after}}
	case after == nil && before != nil:
		return []TableRow{{}}
	}
	return nil
}
