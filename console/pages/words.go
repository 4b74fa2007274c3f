package pages

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// reasons counts texts by why they were not sent.
type reasons = map[reason.Reason]int

// badge is a state in words. Class is its colour and shape: good, bad, warn, info or "".
type badge struct{ Class, Words string }

func wordFunctions() template.FuncMap {
	return template.FuncMap{
		"status":       func(s any) string { return textBadge(s).Words },
		"textBadge":    textBadge,
		"checkBadge":   checkBadge,
		"consentBadge": consentBadge,
		"entryBadge":   entryBadge,
		"consent":      func(s consent.Status) string { return consentBadge(string(s)).Words },
		"kind":         func(k timeline.Kind) string { return plainly(string(k)) },
		"example":      func(k backtest.Kind) string { return plainly(string(k)) },
		"why":          func(of any) string { return service.Why(reason.Reason(asString(of))) },
		"flow":         func(k flow.Key) string { return plainly(string(k)) },
		"flows":        flowNames,
		"about":        about,
	}
}

func asString(of any) string {
	switch of := of.(type) {
	case string:
		return of
	case reason.Reason:
		return string(of)
	case message.Status:
		return string(of)
	}
	return ""
}

// plainly writes a name in words: charge_failed is Charge failed.
func plainly(name string) string {
	return capitalized(strings.ReplaceAll(name, "_", " "))
}

func flowNames(keys []flow.Key) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = plainly(string(key))
	}
	return strings.Join(names, ", ")
}

// about says which kind of webhook a preview is of.
func about(r flow.Resource) string {
	if r == flow.AboutOrder {
		return "About an order"
	}
	return "About a " + string(r)
}

// textBadge is the state of a text.
func textBadge(of any) badge {
	status := message.Status(asString(of))
	if known, is := textBadges()[status]; is {
		return known
	}
	return badge{"", plainly(string(status))}
}

func textBadges() map[message.Status]badge {
	return map[message.Status]badge{
		message.Planned:     {"info", "Waits"},
		message.Claimed:     {"info", "Is being sent"},
		message.Accepted:    {"good", "Sent"},
		message.Sent:        {"good", "Sent to the carrier"},
		message.Delivered:   {"good", "Delivered"},
		message.Undelivered: {"bad", "Did not arrive"},
		message.Rejected:    {"bad", "Refused"},
		message.Unknown:     {"warn", "Perhaps sent"},
		message.Suppressed:  {"", "Not sent"},
	}
}

// textStates are those that texts can be searched by.
func textStates() []message.Status {
	return []message.Status{
		message.Planned, message.Claimed, message.Accepted, message.Sent, message.Delivered, message.Undelivered, message.Rejected, message.Unknown,
		message.Suppressed,
	}
}

func checkBadge(status string) badge {
	switch status {
	case "ok":
		return badge{"good", "Good"}
	case "warning":
		return badge{"warn", "Look at this"}
	}
	return badge{"bad", "Missing"}
}

func consentBadge(status string) badge {
	switch consent.Status(status) {
	case consent.OptedIn:
		return badge{"good", "Opted in"}
	case consent.OptedOut:
		return badge{"bad", "Opted out"}
	case "not_read":
		return badge{"", "Consent is still being read"}
	}
	return badge{"", "No decision known"}
}

// entryBadge is the state of an entry of a timeline. That of a text is its status.
func entryBadge(e timeline.Entry) badge {
	if e.Kind == timeline.KindText {
		return textBadge(string(e.State))
	}
	class := map[timeline.State]string{
		timeline.Done: "good", timeline.Sent: "good", timeline.InText: "good", timeline.Current: "good",
		timeline.Rejected: "bad", timeline.Waiting: "info", timeline.Parked: "info", timeline.NoText: "warn",
	}[e.State]
	return badge{class, plainly(string(e.State))}
}

// stateBadge is the state of a row of Recharge.
func stateBadge(state string) badge {
	switch strings.ToLower(state) {
	case "active", "success", "paid":
		return badge{"good", plainly(strings.ToLower(state))}
	case "error", "failed":
		return badge{"bad", plainly(strings.ToLower(state))}
	}
	return badge{"", cmp.Or(plainly(strings.ToLower(state)), "Unknown")}
}

// deadLetterReasons are those that dead letters can be searched by.
func deadLetterReasons() []string {
	var names []string
	for _, r := range reason.OfDeadLetters() {
		names = append(names, string(r))
	}
	return slices.Sorted(slices.Values(names))
}
