package doctor

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

const (
	checkSMS        = "sms driver"
	checkCallbacks  = "sms callbacks"
	checkConsent    = "sms consent"
	checkQuietHours = "quiet hours"
	checkFlows      = "flows"
	checkPauses     = "paused texts"
)

// texts checks how a store sends texts.
func (s Store) texts(found inKafka) []Row {
	if s.Texts.Driver == "" {
		return []Row{{Check: checkSMS, Status: OK, Found: "no texts: sms.driver is empty"}}
	}
	rows := []Row{s.driver(), s.callbacks(), {Check: checkConsent, Status: OK, Found: "texts go to " + s.Texts.Consent}}
	if found.settings == nil {
		return append(rows, notChecked(checkQuietHours, found.because), notChecked(checkFlows, found.because), notChecked(checkPauses, found.because))
	}
	sends := settings.SendingOf(found.settings, s.Name)
	quiet := Row{Check: checkQuietHours, Status: OK, Found: sends.QuietHours.String()}
	if s.Texts.OwnQuietHours {
		quiet.Found = "left to the destination"
	}
	rows = append(append(rows, quiet), s.flows(found.settings)...)
	return append(rows, s.pauses(sends, settings.PausedBy(found.settings, s.Name)))
}

func (s Store) driver() Row {
	row := Row{Check: checkSMS, Status: OK, Found: s.Texts.Driver}
	if s.Texts.Host != "" {
		row.Found += ", to " + s.Texts.Host
	}
	if s.Texts.DryRun {
		row.Status, row.Found, row.Cure = Warning, row.Found+": texts are logged and not sent", "set sms.driver and the settings of its block to send them"
	}
	return row
}

// callbacks checks what the provider tells the gateway.
func (s Store) callbacks() Row {
	row := Row{Check: checkCallbacks, Status: OK}
	can := s.Texts.Abilities
	switch {
	case can.ReportsDelivery && can.PassesReplies:
		row.Found = "deliveries, replies and opt-outs"
	case can.ReportsDelivery:
		row.Found = "deliveries"
	case can.PassesReplies:
		row.Found = "replies and opt-outs"
	default:
		row.Found = "none by this driver: the provider handles replies such as STOP itself"
	}
	if s.Texts.Deaf {
		row.Status, row.Found = Warning, "refused with 503: opt-outs and deliveries are not known here"
		row.Cure = "set " + s.Texts.Verifies + " where the gateway runs"
	}
	return row
}

// flows checks the active flows: their texts, and the links that these use.
func (s Store) flows(rows *settings.Rows[settings.Setting]) []Row {
	all, err := settings.FlowsOf(rows, s.Name)
	if err != nil {
		return []Row{{Check: checkFlows, Status: Failed, Found: err.Error()}}
	}
	var wrong []Row
	var active []string
	for _, f := range all {
		if !f.Active {
			continue
		}
		active = append(active, string(f.Key))
		if err := flow.Check([]flow.Flow{f.Definition()}, s.Name, s.Texts.Shop); err != nil {
			for line := range strings.Lines(err.Error()) {
				wrong = append(wrong, Row{Check: checkFlows, Status: Failed, Found: strings.TrimSpace(line), Cure: "until then it is not sent: change the setting, or rechargeflow flows edit " + string(f.Key) + " --store " + s.Name})
			}
		}
	}
	if len(active) == 0 {
		return []Row{{Check: checkFlows, Status: Warning, Found: "none is active: no text is sent", Cure: "rechargeflow flows activate charge_failed --store " + s.Name}}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return []Row{{Check: checkFlows, Status: OK, Found: fmt.Sprintf("%d active: %s", len(active), strings.Join(active, ", "))}}
}

// pauses checks whether texts are held.
func (s Store) pauses(sends, since settings.Sending) Row {
	row := Row{Check: checkPauses, Status: OK, Found: "none"}
	what := "all texts"
	switch {
	case sends.Paused:
	case len(sends.PausedFlows) > 0:
		what = fmt.Sprintf("texts of %v", sends.PausedFlows)
	default:
		return row
	}
	row.Status, row.Found = Warning, fmt.Sprintf("%s, by %s since %s", what, cmp.Or(since.By, "nobody"), since.At.Format(time.RFC3339))
	row.Cure = "rechargeflow sms resume --store " + s.Name
	return row
}
