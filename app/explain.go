package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/outputs"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// The outcomes of an Explanation, as docs/architecture.md defines them.
const (
	OutcomeDone     = "done"
	OutcomeSkipped  = "skipped"
	OutcomeParked   = "parked"
	OutcomeRejected = "rejected"
)

// Explanation is what a webhook would become for a customer without earlier webhooks.
type Explanation struct {
	Store      string           `json:"store"`
	Topic      recharge.Topic   `json:"topic"`
	Version    recharge.Version `json:"version,omitempty"` // of the API, as the body shows it
	CustomerID string           `json:"recharge_customer_id,omitempty"`
	Outcome    string           `json:"outcome"`
	// Reason is why it is skipped, parked or rejected; of one that is done, why there is no text.
	Reason reason.Reason `json:"reason,omitempty"`
	// Err is the cause of an outcome that is neither done nor skipped.
	Err error `json:"-"`
	// Unreadable are fields that are left out.
	Unreadable  []string                 `json:"unreadable,omitempty"`
	Events      []subscriber.Event       `json:"events,omitempty"`
	Facts       []subscriber.Event       `json:"facts,omitempty"`
	Rows        []ExplainedRow           `json:"rows,omitempty"`
	Triggers    []subscriber.Trigger     `json:"triggers,omitempty"`
	Revocations []subscriber.Revocation  `json:"revocations,omitempty"`
	Lookups     []recharge.LookupRequest `json:"lookups,omitempty"`
	// Commands are what the destination of events receives; none if the store sends nothing there.
	Commands []Command `json:"bloomreach,omitempty"`
}

// ExplainedRow is a row of a public table.
type ExplainedRow struct {
	Topic string `json:"topic"` // without prefix
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// SettingsOf returns the settings with which the transformer decides for a store, where it has the store's API token.
func SettingsOf(store config.Store) subscriber.Settings {
	s := described(store).Settings
	s.API = store.Recharge.Token.Reveal() != ""
	return s
}

// Explain returns what a webhook of a store would become, received at a time, if nothing else were known of its customer.
func Explain(store config.Store, topic recharge.Topic, body []byte, at time.Time) (Explanation, error) {
	built := described(store)
	built.Settings = SettingsOf(store)
	e, err := explain(built, topic, body, at)
	if !SendsEvents(store) {
		e.Commands = nil
	}
	return e, err
}

// explain is Explain for a store that is described. The error is none of the webhook.
func explain(built pipeline.Store, topic recharge.Topic, body []byte, at time.Time) (Explanation, error) {
	e := Explanation{Store: built.Settings.Store, Topic: topic}
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return e, err
	}
	if why := built.Settings.Switches.Unused(topic); why != "" {
		e.Outcome, e.Reason = OutcomeSkipped, why
		return e, nil
	}
	webhook, err := decoder.Decode(topic, body, at)
	if err != nil {
		return e.rejected(reason.Malformed, err), nil
	}
	e.Version, e.CustomerID, e.Unreadable = webhook.Version, webhook.CustomerID(), webhook.Unreadable
	if topic == "charge/deleted" && e.CustomerID == "" {
		e.Outcome, e.Reason = OutcomeSkipped, reason.ChargeOwnerUnknown
		return e, nil
	}
	decision, after, err := subscriber.Decide(built.Settings, &subscriber.State{}, webhook, at)
	var needed *subscriber.LookupNeeded
	switch {
	case errors.As(err, &needed):
		e.Outcome, e.Reason, e.Err = OutcomeParked, reason.LookupPending, err
		return e, nil
	case errors.Is(err, subscriber.ErrCustomerUnknown):
		return e.rejected(reason.CustomerUnknown, fmt.Errorf("body has no %s, which is the customer_id of the store; a running pipeline would look it up: %w", built.Settings.CustomerID, err)), nil
	case err != nil:
		return e, err
	}
	return e.decided(built, decision, after, at)
}

func (e Explanation) rejected(why reason.Reason, err error) Explanation {
	e.Outcome, e.Reason, e.Err = OutcomeRejected, why, err
	return e
}

// decided adds what a decision emits.
func (e Explanation) decided(built pipeline.Store, d subscriber.Decision, after *subscriber.State, at time.Time) (Explanation, error) {
	e.Outcome, e.Reason = OutcomeDone, d.Skip
	if d.Empty() {
		e.Outcome = OutcomeSkipped
	}
	e.Events, e.Facts, e.Triggers, e.Revocations, e.Lookups = d.Events, d.Facts, d.Triggers, d.Revocations, d.Lookups
	ref := customerstate.Ref{Store: e.Store, CustomerID: e.CustomerID}
	for _, row := range append(subscriber.ChangedRows(e.Store, e.CustomerID, &subscriber.State{}, after), d.Charges...) {
		out := outputs.OfRow(topology.Topics{}, ref, at, row)
		e.Rows = append(e.Rows, ExplainedRow{Topic: out.Topic, Key: e.Store + "/" + out.Key, Value: out.Value})
	}
	var err error
	e.Commands, err = commandsOf(built, d)
	return e, err
}
