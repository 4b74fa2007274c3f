package outputs

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// OfDecision lists what a decision writes: events, then facts, triggers, revocations and owner records.
func OfDecision(topics topology.Topics, d subscriber.Decision) []envelope.Output {
	var out []envelope.Output
	for i := range d.Events {
		e := &d.Events[i]
		out = append(out, envelope.Output{
			Topic: topics.Events(), Subject: string(e.Type), ID: e.ID, Store: e.Store, CustomerID: e.RechargeCustomerID, At: e.OccurredAt, Value: e,
		})
	}
	for i := range d.Facts {
		e := &d.Facts[i]
		out = append(out, envelope.Output{
			Topic: topics.Facts(), Subject: schemas.Fact, ID: e.ID, Store: e.Store, CustomerID: e.RechargeCustomerID, At: e.OccurredAt, Value: e,
		})
	}
	for _, t := range d.Triggers {
		out = append(out, envelope.Output{
			Topic: topics.Triggers(), Subject: schemas.SMSTrigger, ID: t.ID, Store: t.Store, CustomerID: t.RechargeCustomerID, At: t.OccurredAt, Value: t,
		})
	}
	for _, r := range d.Revocations {
		out = append(out, envelope.Output{
			Topic: topics.Triggers(), Subject: schemas.SMSRevocation, ID: r.ID, Store: r.Store, CustomerID: r.RechargeCustomerID, At: r.OccurredAt, Value: r,
		})
	}
	for _, o := range d.Owners {
		out = append(out, ofOwner(topics, o))
	}
	for _, o := range d.ChargeOwners {
		out = append(out, ofChargeOwner(topics, o))
	}
	return out
}

// OfRow is a row of a public table about a customer, changed by a record that was received at a time; a row without a value is a tombstone.
func OfRow(topics topology.Topics, customer customerstate.Ref, at time.Time, row subscriber.TableRow) envelope.Output {
	out := envelope.Output{
		Topic: topics.Customers(), Subject: schemas.Customers, Store: customer.Store, CustomerID: customer.CustomerID,
		Key: customer.CustomerID, At: at, Value: row.Value,
	}
	switch {
	case row.SubscriptionID != "":
		out.Topic, out.Subject, out.Key = topics.Subscriptions(), schemas.Subscriptions, customer.CustomerID+"/"+row.SubscriptionID
	case row.ChargeID != "":
		out.Topic, out.Subject, out.Key = topics.Charges(), schemas.Charges, customer.CustomerID+"/"+row.ChargeID
	}
	return out
}

// OfChange is a changed message.
func OfChange(topics topology.Topics, m *message.Message, at time.Time) envelope.Output {
	return envelope.Output{
		Topic: topics.Messages(), Subject: schemas.Message, ID: m.ID + "/" + strconv.Itoa(m.Changes), Store: m.Store, CustomerID: m.CustomerID, At: at, Value: m.Public(at),
	}
}

// OfClaim are the rows of a claimed message: its text in recharge.message-texts, and its links in recharge.links.
func OfClaim(topics topology.Topics, m *message.Message, text message.Text, at time.Time) []envelope.Output {
	out := []envelope.Output{ofText(topics, m, text, at)}
	for _, row := range m.LinkRows() {
		out = append(out, ofLink(topics, m, row.ID, row, at))
	}
	return out
}

// OfRemoval are the tombstones of what is removed of a message.
func OfRemoval(topics topology.Topics, r message.Removal, at time.Time) (out []envelope.Output) {
	if r.Text {
		out = append(out, ofText(topics, r.Message, nil, at))
	}
	for _, link := range r.Ended {
		out = append(out, ofLink(topics, r.Message, link.ID, nil, at))
	}
	return out
}

// ofLink is a row of recharge.links; nil is a tombstone.
func ofLink(topics topology.Topics, m *message.Message, id string, value any, at time.Time) envelope.Output {
	return envelope.Output{Topic: topics.Links(), Subject: schemas.Link, Store: m.Store, CustomerID: m.CustomerID, Key: id, At: at, Value: value}
}

// ofText is a row of recharge.message-texts; nil is a tombstone.
func ofText(topics topology.Topics, m *message.Message, value any, at time.Time) envelope.Output {
	return envelope.Output{
		Topic: topics.MessageTexts(), Subject: schemas.MessageText, Store: m.Store, CustomerID: m.CustomerID, Key: m.CustomerID + "/" + m.ID, At: at, Value: value,
	}
}

// OfReceipt is a receipt.
func OfReceipt(topics topology.Topics, r message.Receipt) envelope.Output {
	return envelope.Output{
		Topic: topics.Receipts(), Subject: schemas.SMSReceipt, ID: r.MessageID + "/" + strconv.Itoa(r.Attempt) + "/" + string(r.Outcome),
		Store: r.Store, CustomerID: r.CustomerID, At: r.At, Value: r,
	}
}
