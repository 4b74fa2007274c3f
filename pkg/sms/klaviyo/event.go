package klaviyo

import (
	"maps"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// metricPrefix begins the names of metrics.
const metricPrefix = "Recharge "

// object is a JSON:API resource object.
type object[A any] struct {
	Type       string `json:"type"`
	Attributes A      `json:"attributes"`
}

// document is a JSON:API document with one object.
type document[A any] struct {
	Data object[A] `json:"data"`
}

type event struct {
	UniqueID   string            `json:"unique_id"`
	Time       time.Time         `json:"time"`
	Properties map[string]any    `json:"properties"`
	Metric     document[metric]  `json:"metric"`
	Profile    document[profile] `json:"profile"`
}

type metric struct {
	Name string `json:"name"`
}

type profile struct {
	Email       string `json:"email,omitempty"`
	PhoneNumber string `json:"phone_number,omitempty"`
}

func of[A any](kind string, attributes A) document[A] {
	return document[A]{Data: object[A]{Type: kind, Attributes: attributes}}
}

// eventOf returns the event of a trigger. The same trigger is the same event.
func eventOf(m sms.Message) document[event] {
	properties := map[string]any{}
	for name, value := range maps.All(m.Values.Variables) {
		properties[name] = value
	}
	properties["resources"], properties["consent"], properties["cause"] = append([]string{}, m.Items...), m.Values.Consent, m.Cause
	return of("event", event{
		UniqueID: sms.TextID(m), Time: m.Values.OccurredAt.UTC().Truncate(time.Second), Properties: properties,
		Metric: of("metric", metric{Name: metricPrefix + m.Flow}), Profile: of("profile", profile{Email: m.Email, PhoneNumber: m.To}),
	})
}
