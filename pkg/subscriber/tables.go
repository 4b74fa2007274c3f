package subscriber

import (
	"maps"
	"reflect"
	"slices"
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
	Status    string    `json:"status"`
	UpdatedAt time.Time `json:"updated_at"`
}

// AppendJSON appends the row as JSON.
func (r SubscriptionRow) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	w.String("store", r.Store)
	w.String("recharge_customer_id", r.RechargeCustomerID)
	r.appendMembers(w)
	w.String("status", r.Status)
	w.Time("updated_at", r.UpdatedAt)
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

// SubscriptionRows returns the rows of the customer's subscriptions by id, without deleted ones and one-time products.
func (st *State) SubscriptionRows(store, customer string) map[string]SubscriptionRow {
	rows := make(map[string]SubscriptionRow)
	for id, s := range st.Subscriptions {
		if !s.exists() {
			continue
		}
		rows[id] = SubscriptionRow{
			Store: store, RechargeCustomerID: customer, Subscription: s.Subscription, Status: s.Status, UpdatedAt: s.UpdatedAt,
		}
	}
	return rows
}

// TableRow is a changed row of a public table.
type TableRow struct {
	// SubscriptionID is "" for the customer's row.
	SubscriptionID string
	// Value is a *CustomerRow or a SubscriptionRow; nil for a row that is removed.
	Value any
}

// ChangedRows returns the rows of the public tables that differ between two states of a customer.
func ChangedRows(store, customer string, before, after *State) []TableRow {
	var changed []TableRow
	was, is := before.CustomerRow(store, customer), after.CustomerRow(store, customer)
	switch {
	case is != nil && !reflect.DeepEqual(was, is):
		changed = append(changed, TableRow{Value: is})
	case is == nil && was != nil:
		changed = append(changed, TableRow{})
	}
	had, have := before.SubscriptionRows(store, customer), after.SubscriptionRows(store, customer)
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if old, existed := had[id]; !existed || !reflect.DeepEqual(old, have[id]) {
			changed = append(changed, TableRow{SubscriptionID: id, Value: have[id]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(had)) {
		if _, still := have[id]; !still {
			changed = append(changed, TableRow{SubscriptionID: id})
		}
	}
	return changed
}
