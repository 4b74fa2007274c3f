package analytics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// topics are the values of the topics, as a data team reads them.
type topics struct {
	events, facts          []record
	subscriptions, charges map[string]record // by key
}

// record has the fields that the questions need.
type record struct {
	ID           string
	Type, Status string
	Customer     string    `json:"recharge_customer_id"`
	OccurredAt   time.Time `json:"occurred_at"`
	Property     struct{ Value bool }
	Subscription struct{ ID, Cancellation string }
	Charge       struct{ ID string }

	Price, Currency string
	Quantity        int
	Interval        int    `json:"charge_interval"`
	Total           string `json:"total_price"`
	Refunds         string `json:"total_refunds"`
	Due             string `json:"scheduled_date"`
	Items           []struct {
		Product string `json:"product_id"`
		Total   string `json:"total_price"`
	}
}

func read(value []byte) (r record) {
	if err := json.Unmarshal(value, &r); err != nil {
		panic(err)
	}
	return r
}

func cents(amount string) int {
	if amount == "" {
		return 0
	}
	n, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		panic(err)
	}
	return int(math.Round(n * 100))
}

func (t topics) answers() answers {
	a := newAnswers()
	t.active(a)
	t.churn(a)
	for _, s := range t.subscriptions {
		if s.Status == "active" {
			a.MRR[s.Currency] += cents(s.Price) * s.Quantity * 30 / s.Interval
		}
	}
	for _, c := range t.charges {
		t.charge(a, c)
	}
	failed := map[string]bool{}
	for _, f := range t.facts {
		switch f.Status {
		case "failed":
			failed[f.Charge.ID] = true
		case "skipped":
			a.Skipped++
		case "unskipped":
			a.Skipped--
		}
	}
	for _, e := range t.events {
		if e.Type == "subscription_charge" && e.Status == "paid" && failed[e.Charge.ID] {
			a.Recovered++
		}
	}
	return a
}

// active counts the customers whose last property of each day or before is TRUE.
func (t topics) active(a answers) {
	for day := range days {
		end := began().AddDate(0, 0, day+1)
		last, value := map[string]time.Time{}, map[string]bool{}
		for _, e := range t.events {
			if e.Type == "customer_property" && e.OccurredAt.Before(end) && !e.OccurredAt.Before(last[e.Customer]) {
				last[e.Customer], value[e.Customer] = e.OccurredAt, e.Property.Value
			}
		}
		n := 0
		for _, is := range value {
			if is {
				n++
			}
		}
		a.Active[dayOf(day)] = n
	}
}

func (t topics) churn(a answers) {
	for _, e := range t.events {
		if e.Type == "subscription" && e.Status == "canceled" {
			a.Churn[e.Subscription.Cancellation]++
		}
	}
	for _, f := range t.facts {
		if f.Status == "expired" {
			a.Churn["expired"]++
		}
	}
}

func (t topics) charge(a answers, c record) {
	switch c.Status {
	case "queued", "error":
		if c.Due < dayOf(days+30) {
			a.Expected[c.Currency] += cents(c.Total)
		}
		return
	}
	if refunds := cents(c.Refunds); refunds > 0 {
		a.Refunds[c.Currency] += refunds
	}
	for _, item := range c.Items {
		a.Products[fmt.Sprintf("%s %s", c.Currency, item.Product)] += cents(item.Total)
	}
}
