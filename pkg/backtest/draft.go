package backtest

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
)

// Draft is a flow as it is drafted, and how its store sends.
type Draft struct {
	Store string
	// Texts is what the configuration says about how the store sends. What changes at run time is not used.
	Texts texts.Store
	Flow  flow.Flow
	// Flows are the others as they are in force.
	Flows   map[flow.Key]flow.Flow
	Sending sending.Settings
	// Mode is whom the store may text, Consent what is known of numbers.
	Mode    consent.Mode
	Consent *consent.Rows
}

// Ready activates the drafted flow and ends pauses, for a play.
func (d *Draft) Ready() {
	d.Flow.Active, d.Sending.Paused, d.Sending.PausedFlows = true, false, nil
}

// Options returns what plays the draft.
func (d Draft) Options() Options {
	o := Options{Store: d.Store, Flow: d.Flow.Key, Texts: d.Texts}
	o.Texts.Flow = func(key flow.Key) flow.Flow {
		if key == d.Flow.Key {
			return d.Flow
		}
		return d.Flows[key]
	}
	o.Texts.Sending = func() sending.Settings { return d.Sending }
	o.Texts.Destination.Consent = func(string) string { return "" }
	o.MayText = func(number string, at time.Time) (reason.Reason, bool) {
		for _, c := range consent.History(d.Consent, d.Store, number) {
			if !c.At.After(at) {
				return d.Mode.May(c.Status)
			}
		}
		return d.Mode.May("")
	}
	return o
}
