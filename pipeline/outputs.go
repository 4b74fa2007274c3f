package pipeline

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// outputs lists what a decision writes: events, then triggers, then revocations, then owner records.
func outputs(topics topology.Topics, d subscriber.Decision) []envelope.Output {
	var out []envelope.Output
	for i := range d.Events {
		e := &d.Events[i]
		out = append(out, envelope.Output{
			Topic: topics.Events(), Subject: string(e.Type), ID: e.ID, Store: e.Store, CustomerID: e.RechargeCustomerID, At: e.OccurredAt, Value: e,
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
		out = append(out, ownerOutput(topics, o))
	}
	return out
}

// tableOutput is a row of recharge.customers or recharge.subscriptions; a row without a value is a tombstone.
func tableOutput(topics topology.Topics, in *input, row subscriber.TableRow) envelope.Output {
	out := envelope.Output{
		Topic: topics.Customers(), Subject: schemas.Customers, Store: in.ref.Store, CustomerID: in.ref.CustomerID,
		Key: in.ref.CustomerID, At: in.at, Value: row.Value,
	}
	if row.SubscriptionID != "" {
		out.Topic, out.Subject, out.Key = topics.Subscriptions(), schemas.Subscriptions, in.ref.CustomerID+"/"+row.SubscriptionID
	}
	return out
}

// changeOutput is a changed message.
func changeOutput(topics topology.Topics, m *message.Message, at time.Time) envelope.Output {
	return envelope.Output{
		Topic: topics.Messages(), Subject: schemas.Message, ID: m.ID + "/" + strconv.Itoa(m.Changes), Store: m.Store, CustomerID: m.CustomerID, At: at, Value: m.Public(at),
	}
}

// textOutput is a row of recharge.message-texts; nil is a tombstone.
func textOutput(topics topology.Topics, m *message.Message, value any, at time.Time) envelope.Output {
	return envelope.Output{
		Topic: topics.MessageTexts(), Subject: schemas.MessageText, Store: m.Store, CustomerID: m.CustomerID, Key: m.CustomerID + "/" + m.ID, At: at, Value: value,
	}
}

// receiptOutput is a receipt.
func receiptOutput(topics topology.Topics, r message.Receipt) envelope.Output {
	return envelope.Output{
		Topic: topics.Receipts(), Subject: schemas.SMSReceipt, ID: r.MessageID + "/" + strconv.Itoa(r.Attempt) + "/" + string(r.Outcome),
		Store: r.Store, CustomerID: r.CustomerID, At: r.At, Value: r,
	}
}
