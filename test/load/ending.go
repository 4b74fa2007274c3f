package load

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// ending is how a life ends.
type ending struct {
	email         string
	subscriptions map[string]string // id to status, without those that were deleted
	// untold says that they were deleted, and that no webhook told whose they were: so they are known as they were before,
	// or not at all where the API was asked.
	untold bool
}

// end notes how a life ended whose last burst was of that kind.
func (a *Account) end(life rechargetest.Life, last rechargetest.Kind) {
	e := ending{email: life.Email(), subscriptions: map[string]string{}}
	deleted := last == rechargetest.Deletion
	e.untold = deleted && life.Version == recharge.Version202101
	status := "active"
	if !life.Past.CancelledAt.IsZero() {
		status = "cancelled"
	}
	for item := 1; item <= life.Items && (!deleted || e.untold); item++ {
		e.subscriptions[life.SubscriptionID(item)] = status
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ends[life.CustomerID()] = e
}

// active tells whether any subscription is.
func active(subscriptions map[string]string) bool {
	return slices.Contains(slices.Collect(maps.Values(subscriptions)), "active")
}

// Row is a record of a table; without a value it says that there is no such row any more.
type Row struct {
	Key   string
	Value []byte
}

// Tables are the records of recharge.customers and recharge.subscriptions.
type Tables struct{ Customers, Subscriptions []Row }

// CompareEnds holds the last row of each key, and what a destination has as the property of each e-mail, to how the lives
// ended: the same subscriptions in the same status, and an active customer where one of them is.
func (a *Account) CompareEnds(tables Tables, property func(email string) any) error {
	customers, err := last(tables.Customers)
	if err != nil {
		return err
	}
	subscriptions, err := last(tables.Subscriptions)
	if err != nil {
		return err
	}
	known := map[string]map[string]string{} // by customer, id to status
	for _, row := range subscriptions {
		if known[row.Customer] == nil {
			known[row.Customer] = map[string]string{}
		}
		known[row.Customer][row.ID] = row.Status
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	wrong := a.strangers(customers, subscriptions)
	says := map[string]*bool{}
	for _, row := range customers {
		says[row.Customer] = row.Active
	}
	for id, e := range a.ends {
		wrong = append(wrong, e.differences(id, known[id], says[id], property(e.email))...)
	}
	return report(wrong, len(a.ends))
}

// strangers are rows of nobody who lived.
func (a *Account) strangers(tables ...map[string]row) []string {
	var wrong []string
	for _, rows := range tables {
		for key, r := range rows {
			if _, lived := a.ends[r.Customer]; !lived {
				wrong = append(wrong, fmt.Sprintf("row %s: nobody lived who is %q", key, r.Customer))
			}
		}
	}
	return wrong
}

// differences are what is wrong about one customer.
func (e ending) differences(id string, known map[string]string, says *bool, property any) []string {
	want := e.subscriptions
	if e.untold && len(known) == 0 {
		want = nil
	}
	var wrong []string
	if !maps.Equal(want, known) {
		wrong = append(wrong, fmt.Sprintf("customer %s: has %v in the table, should have %v", id, known, want))
	}
	if says == nil || *says != active(want) {
		wrong = append(wrong, fmt.Sprintf("customer %s: subscription_active is %s in the table, should be %t", id, spelled(says), active(want)))
	}
	if property != active(want) {
		wrong = append(wrong, fmt.Sprintf("customer %s: the property is %v, should be %t", id, property, active(want)))
	}
	return wrong
}

func spelled(b *bool) string {
	if b == nil {
		return "absent"
	}
	return fmt.Sprint(*b)
}

// row is what a table's value says, read without the product's types.
type row struct {
	Customer string `json:"recharge_customer_id"`
	ID       string `json:"id"`
	Status   string `json:"status"`
	Active   *bool  `json:"subscription_active"`
}

// last is the last row of each key that is still there. A key names the customer, as its row does.
func last(records []Row) (map[string]row, error) {
	rows := map[string]row{}
	for _, record := range records {
		delete(rows, record.Key)
		if record.Value == nil {
			continue
		}
		var r row
		if err := json.Unmarshal(record.Value, &r); err != nil {
			return nil, fmt.Errorf("decode row %s: %w", record.Key, err)
		}
		if customer := strings.Split(record.Key, "/"); len(customer) < 2 || customer[1] != r.Customer {
			return nil, fmt.Errorf("row %s is of customer %s", record.Key, r.Customer)
		}
		rows[record.Key] = r
	}
	return rows, nil
}
