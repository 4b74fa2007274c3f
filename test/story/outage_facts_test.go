package story_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// object is a JSON object of Recharge or of a topic.
type object map[string]any

func objectOf(t *testing.T, raw []byte) (o object) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&o), string(raw))
	return o
}

// at is the object of a name, nil if there is none.
func (o object) at(name string) object {
	inner, _ := o[name].(map[string]any)
	return inner
}

// text is a value as text, "" for none.
func (o object) text(name string) string {
	if o[name] == nil {
		return ""
	}
	return fmt.Sprint(o[name])
}

// time is a time in seconds, "" for none.
func (o object) time(t *testing.T, name string) string {
	t.Helper()
	if o.text(name) == "" {
		return ""
	}
	at, err := time.Parse(time.RFC3339, o.text(name))
	require.NoError(t, err)
	return at.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// moments are facts, each as what happened to which resource and when.
type moments map[string]bool

// happened is what a webhook says, computed from its topic and body without the product.
func (m moments) happened(t *testing.T, d rechargetest.Delivery) {
	t.Helper()
	body := objectOf(t, d.Body)
	s, c := body.at("subscription"), body.at("charge")
	switch d.Topic {
	case "subscription/created":
		m.add("subscription created", s, s.time(t, "created_at"))
	case "subscription/cancelled":
		m.add("subscription canceled", s, s.time(t, "cancelled_at"))
	case "subscription/activated":
		m.add("subscription activated", s, s.time(t, "updated_at"))
	case "charge/created":
		m.add("subscription_charge created", c, c.time(t, "created_at"))
		if c.text("status") == "success" {
			m.add("subscription_charge paid", c, c.time(t, "processed_at"))
		}
	case "charge/paid":
		m.add("subscription_charge paid", c, c.time(t, "processed_at"))
	case "charge/failed":
		m.add("subscription_charge failed", c, c.time(t, "updated_at"))
	case "charge/refunded":
		m.add("subscription_charge refunded", c, c.time(t, "updated_at"))
	}
}

// shown is what a resource at the API shows with a time of its own that is not before since.
func (m moments) shown(t *testing.T, document []byte, since time.Time) {
	t.Helper()
	from := since.UTC().Format(time.RFC3339)
	add := func(what string, of object, at string) {
		if at >= from {
			m.add(what, of, at)
		}
	}
	body := objectOf(t, document)
	if s := body.at("subscription"); s != nil {
		add("subscription created", s, s.time(t, "created_at"))
		if s.text("status") == "cancelled" {
			add("subscription canceled", s, s.time(t, "cancelled_at"))
		}
	}
	c := body.at("charge")
	if c == nil {
		return
	}
	add("subscription_charge created", c, c.time(t, "created_at"))
	add("subscription_charge paid", c, c.time(t, "processed_at"))
	switch c.text("status") {
	case "error":
		add("subscription_charge failed", c, c.time(t, "last_charge_attempt"))
	case "partially_refunded":
		add("subscription_charge refunded", c, c.time(t, "updated_at"))
	}
}

func (m moments) add(what string, of object, at string) { m[what+" "+of.text("id")+" "+at] = true }

// emitted are the facts in records of recharge.events and recharge.facts of the kinds that are compared. Each fact is there once.
func emitted(t *testing.T, records []kafka.Record) moments {
	t.Helper()
	found, ids := moments{}, map[string]bool{}
	for _, r := range records {
		value := objectOf(t, r.Value)
		require.False(t, ids[value.text("id")], "twice: %s", r.Value)
		ids[value.text("id")] = true
		what := value.text("type") + " " + value.text("status")
		switch what {
		case "subscription created", "subscription canceled", "subscription activated", "subscription_charge created", "subscription_charge paid",
			"subscription_charge failed", "subscription_charge refunded":
			of := value.at("subscription")
			if of == nil {
				of = value.at("charge")
			}
			size := len(found)
			found.add(what, of, value.time(t, "occurred_at"))
			require.Greater(t, len(found), size, "twice, with two ids: %s", r.Value)
		}
	}
	return found
}

// rows are the rows of the tables by the paths of their resources.
func (s *simulated) rows() map[string]string {
	t, topics, got := s.t, topology.Topics{Prefix: s.Prefix}, map[string]string{}
	for _, row := range rowsOf(t, s.Lab, topics.Customers()) {
		r := object(row)
		got["customers/"+r.text("recharge_customer_id")] = line(r.text("email"), r.text("first_name"), r.text("phone"), r.text("subscription_active"))
	}
	for _, row := range rowsOf(t, s.Lab, topics.Subscriptions()) {
		r := object(row)
		got["subscriptions/"+r.text("id")] = line(r.text("recharge_customer_id"), r.text("source_status"), r.text("address_id"), r.text("product_id"),
			r.text("price"), r.text("next_charge_date"), r.time(t, "created_at"), r.time(t, "canceled_at"))
	}
	for _, row := range rowsOf(t, s.Lab, topics.Charges()) {
		r := object(row)
		got["charges/"+r.text("id")] = line(r.text("recharge_customer_id"), r.text("source_status"), r.text("total_price"), amount(r.text("total_refunds")),
			r.text("scheduled_date"), r.text("attempts"), r.text("error_type"), r.time(t, "created_at"), r.time(t, "processed_at"))
	}
	return got
}

// rowsShown are documents of the API in the form of rows.
func rowsShown(t *testing.T, documents map[string][]byte) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for path, document := range documents {
		rows[path] = rowShown(t, document)
	}
	return rows
}

func rowShown(t *testing.T, document []byte) string {
	t.Helper()
	body := objectOf(t, document)
	if s := body.at("subscription"); s != nil {
		return line(s.text("customer_id"), s.text("status"), s.text("address_id"), s.at("external_product_id").text("ecommerce"), s.text("price"),
			s.text("next_charge_scheduled_at"), s.time(t, "created_at"), s.time(t, "cancelled_at"))
	}
	if c := body.at("charge"); c != nil {
		return line(c.at("customer").text("id"), c.text("status"), c.text("total_price"), amount(c.text("total_refunds")), c.text("scheduled_at"),
			c.text("charge_attempts"), c.text("error_type"), c.time(t, "created_at"), c.time(t, "processed_at"))
	}
	c := body.at("customer")
	return line(c.text("email"), c.text("first_name"), c.text("phone"), fmt.Sprint(c.text("subscriptions_active_count") != "0"))
}

func line(values ...string) string { return strings.Join(values, " ") }

// amount is an amount, "" for 0.
func amount(text string) string { return strings.TrimPrefix(text, "0.00") }
