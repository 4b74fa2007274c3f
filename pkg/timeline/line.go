package timeline

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Line is what is shown of one record, whatever its topic.
type Line struct {
	At time.Time `json:"at"`
	// Topic is without prefix.
	Topic    string `json:"topic"`
	Store    string `json:"store,omitempty"`
	Customer string `json:"recharge_customer_id,omitempty"`
	// Type is the Recharge topic of a webhook, the type of an event, the flow of a trigger, a revocation or a text, or row.
	Type string `json:"type,omitempty"`
	// Status is that of an event, a text or a row; rejected for a dead letter, deleted for a row without a value.
	Status string `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Detail has the error of a dead letter or a text.
	Detail string `json:"detail,omitempty"`
	Record string `json:"record"`
	// Value is the value of the record, if personal data is revealed.
	Value json.RawMessage `json:"value,omitempty"`
}

// known are the members of values that lines show.
type known struct {
	Type   string   `json:"type"`
	Status string   `json:"status"`
	Flow   string   `json:"flow"`
	Flows  []string `json:"flows"`
	Reason string   `json:"reason"`
	Code   string   `json:"code"`
	Error  string   `json:"error"`
}

// LineOf decodes a record of a topic with the prefix. A value that can't be decoded leaves fields out.
func (m Masker) LineOf(prefix string, r kafka.Record) Line {
	store, rest, _ := strings.Cut(string(r.Key), "/")
	customer, _, _ := strings.Cut(rest, "/")
	l := Line{
		At: r.Time, Topic: strings.TrimPrefix(r.Topic, prefix), Store: cmp.Or(r.Header(envelope.HeaderStore), store), Record: placeOf(r).String(),
		Customer: customer, Value: m.value(r.Value),
	}
	if strings.Trim(customer, "0123456789") != "" { // {store}/{resource}/{id}
		l.Customer = ""
	}
	var v known
	if json.Unmarshal(r.Value, &v) != nil { // a webhook or anything else
		v = known{}
	}
	l.Type = cmp.Or(r.Header(envelope.HeaderRechargeTopic), v.Flow, strings.Join(v.Flows, ","), v.Type, strings.TrimPrefix(r.Header(envelope.HeaderCEType), "rechargeflow."), r.Header(envelope.HeaderSource))
	l.Status, l.Reason, l.Detail = v.Status, cmp.Or(v.Reason, v.Code), m.Text(v.Error)
	if why := r.Header(deadletter.HeaderReason); why != "" {
		l.Status, l.Reason, l.Detail = string(Rejected), why, m.Text(r.Header(deadletter.HeaderError))
	}
	if r.Value == nil {
		l.Status = string(Deleted)
	}
	return l
}
