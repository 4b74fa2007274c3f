package subscriber

import "time"

// CustomerRow is a customer as the public table recharge.customers has them.
type CustomerRow struct {
	Store              string `json:"store"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	Email              string `json:"email,omitempty"`
	FirstName          string `json:"first_name,omitempty"`
	LastName           string `json:"last_name,omitempty"`
	Phone              string `json:"phone,omitempty"`
	PlatformID         string `json:"platform_id,omitempty"`
	// SubscriptionActive is whether any subscription is active; absent where nobody can tell.
	SubscriptionActive *bool     `json:"subscription_active,omitempty"`
	CreatedAt          time.Time `json:"created_at,omitzero"`
	UpdatedAt          time.Time `json:"updated_at,omitzero"`
}

// SubscriptionRow is a subscription as the public table recharge.subscriptions has it.
type SubscriptionRow struct {
	Store              string `json:"store"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	Subscription
	Status    string    `json:"status"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Row is the customer's row, nil when there is none (any more).
func (m *Memory) Row(store, customer string) *CustomerRow {
	k := m.Customer
	if m.gone() || !k.Seen && k.Email == "" && len(m.Subscriptions) == 0 {
		return nil
	}
	row := &CustomerRow{
		Store: store, RechargeCustomerID: customer, Email: k.Email, FirstName: k.FirstName, LastName: k.LastName,
		Phone: k.Phone, PlatformID: k.PlatformID, CreatedAt: k.CreatedAt, UpdatedAt: k.UpdatedAt,
	}
	if value, _, known := m.active(); known {
		row.SubscriptionActive = &value
	}
	return row
}

// SubscriptionRows are the rows of the customer's subscriptions by id, without those that were deleted.
func (m *Memory) SubscriptionRows(store, customer string) map[string]SubscriptionRow {
	rows := make(map[string]SubscriptionRow)
	for id, s := range m.Subscriptions {
		if s.Status == statusDeleted {
			continue
		}
		rows[id] = SubscriptionRow{
			Store: store, RechargeCustomerID: customer, Subscription: s.Subscription, Status: s.Status, UpdatedAt: s.UpdatedAt,
		}
	}
	return rows
}
