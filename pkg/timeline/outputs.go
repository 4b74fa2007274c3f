package timeline

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// readOutputs reads the outputs of the transformer by their raw records.
func (a *assembly) readOutputs() {
	for _, each := range []struct {
		topic string
		entry func(kafka.Record) Entry
	}{
		{a.Topics.Events(), a.event},
		{a.Topics.Facts(), a.event},
		{a.Topics.Triggers(), a.trigger},
	} {
		for _, r := range a.of(each.topic) {
			a.addOutput(r, each.entry(r))
		}
	}
	for _, topic := range []string{a.Topics.Customers(), a.Topics.Subscriptions(), a.Topics.Charges()} {
		last := map[string]kafka.Record{}
		for _, r := range a.of(topic) {
			last[string(r.Key)] = r
		}
		for _, r := range a.of(topic) {
			if last[string(r.Key)].Offset == r.Offset {
				a.addOutput(r, a.row(r))
			}
		}
	}
}

// addOutput adds what all outputs have.
func (a *assembly) addOutput(r kafka.Record, e Entry) {
	at := placeOf(r)
	e.At, e.Record, e.Value = r.Time, at.String(), a.mask.value(r.Value)
	if e.ID == "" && e.Kind != KindRow {
		e.ID = r.Header(envelope.HeaderCEID)
	}
	if received, err := envelope.ReceivedAt(r); err == nil {
		ms := r.Time.Sub(received).Milliseconds()
		e.LatencyMS = &ms
	}
	topic, partition, offset, err := envelope.RawPosition(r)
	raw := place{topic, partition, offset}
	if err == nil && e.ID != "" {
		a.factOf[e.ID] = raw
	}
	a.outputs[raw] = append(a.outputs[raw], e)
}

// event returns an event or a fact.
func (a *assembly) event(r kafka.Record) Entry {
	e := Entry{Kind: KindEvent}
	if r.Topic == a.Topics.Facts() {
		e.Kind = KindFact
	}
	event, err := a.events.Decode(r.Value)
	if err != nil {
		e.Detail = "value is not an event"
	} else {
		e.ID, e.Type, e.Detail = event.ID, typeOf(event), aboutOf(event)
	}
	if event.Email != "" && !event.Former {
		a.email = event.Email
	}
	role, used := a.reader(r.Topic)
	e.State, e.Reason, e.Entries = a.fate(role, placeOf(r), Sent)
	switch {
	case e.Entries != nil:
	case !used:
		e.State = Off
	case e.Kind == KindFact && err == nil && !a.tracked(event):
		e.State = NotTracked
	}
	return e
}

// tracked reports whether the store sends a fact.
func (a *assembly) tracked(e subscriber.Event) bool {
	return a.Settings.Tracks(e.Status) && a.Settings.DestinationID(e.RechargeCustomerID, e.Email) != ""
}

func typeOf(e subscriber.Event) string {
	if e.Type == subscriber.EventProperty && e.Property != nil {
		return fmt.Sprintf("%s=%t", e.Property.Name, e.Property.Value)
	}
	return strings.TrimSpace(string(e.Type) + " " + e.Status)
}

// aboutOf names the resource of an event, or the names of the fields that changed.
func aboutOf(e subscriber.Event) string {
	switch {
	case e.Subscription != nil:
		return "subscription " + e.Subscription.ID
	case e.Charge != nil:
		return "charge " + e.Charge.ID
	case e.Order != nil:
		return "order " + e.Order.ID
	case e.Customer != nil && len(e.Customer.Changed) > 0:
		return "changed: " + strings.Join(e.Customer.Changed, ", ")
	}
	return ""
}

// trigger returns a trigger or a revocation.
func (a *assembly) trigger(r kafka.Record) Entry {
	if r.Header(envelope.HeaderCEType) == envelope.TypeRevocation {
		return a.revocation(r)
	}
	e := Entry{Kind: KindTrigger}
	var t subscriber.Trigger
	if err := json.Unmarshal(r.Value, &t); err != nil {
		e.Detail = "value is not a trigger"
	}
	e.ID, e.Type = t.ID, string(t.Flow)
	if len(t.Items) > 0 {
		e.Detail = named(t.Items[0])
	}
	role, used := a.reader(r.Topic)
	e.State, e.Reason, e.Entries = a.fate(role, placeOf(r), NoText)
	text, found := a.inText[t.ID]
	switch {
	case found:
		e.State, e.Detail = InText, join(e.Detail, fmt.Sprintf("text %.8s: %s", text.ID, text.State))
	case !used:
		e.State = Off
	case e.State == NoText:
		e.Reason, e.Likely = reason.FlowInactive, true
	}
	return e
}

func (a *assembly) revocation(r kafka.Record) Entry {
	e := Entry{Kind: KindRevocation}
	var v subscriber.Revocation
	if err := json.Unmarshal(r.Value, &v); err != nil {
		e.Detail = "value is not a revocation"
	}
	flows := make([]string, 0, len(v.Flows))
	for _, key := range v.Flows {
		flows = append(flows, string(key))
	}
	e.ID, e.Type = v.ID, strings.Join(flows, ", ")
	if len(v.Items) > 0 {
		e.Detail = named(v.Items[0])
	}
	role, used := a.reader(r.Topic)
	e.State, e.Reason, e.Entries = a.fate(role, placeOf(r), Done)
	if e.State == Waiting && !used {
		e.State = Off
	}
	return e
}

// named spells an item of a trigger, such as charge/580825303, as details do.
func named(item string) string { return strings.Replace(item, "/", " ", 1) }

// row returns the newest row of a table.
func (a *assembly) row(r kafka.Record) Entry {
	e := Entry{Kind: KindRow, Type: strings.TrimPrefix(r.Topic, a.Topics.Prefix), State: Current}
	if r.Value == nil {
		e.State = Deleted
	}
	var row struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Email  string `json:"email"`
	}
	if r.Value != nil && json.Unmarshal(r.Value, &row) != nil {
		e.Detail = "value is not a row"
	}
	if row.Email != "" {
		a.email = row.Email
	}
	e.Detail = join(e.Detail, strings.TrimSpace(row.ID+" "+row.Status))
	return e
}
