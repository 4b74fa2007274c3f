package klaviyo

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// event is the body of a request (https://github.com/klaviyo/openapi, openapi/stable/apis/create_event.json).
type event struct {
	Data resource[eventAttributes] `json:"data"`
}

// resource is a resource of JSON:API.
type resource[A any] struct {
	Type       string `json:"type"`
	Attributes A      `json:"attributes"`
}

// related is a resource within another one.
type related[A any] struct {
	Data resource[A] `json:"data"`
}

type eventAttributes struct {
	UniqueID      string            `json:"unique_id"`
	Time          time.Time         `json:"time,omitzero"`
	Value         json.Number       `json:"value,omitempty"`
	ValueCurrency string            `json:"value_currency,omitempty"`
	Metric        related[metric]   `json:"metric"`
	Profile       related[profile]  `json:"profile"`
	Properties    map[string]string `json:"properties"`
}

type metric struct {
	Name string `json:"name"`
}

// profile has what Klaviyo finds a profile by. Anything else would overwrite what is known there.
type profile struct {
	Email       string `json:"email,omitempty"`
	PhoneNumber string `json:"phone_number,omitempty"` // E.164
}

func eventOf(m sms.Message) event {
	attributes := eventAttributes{
		UniqueID: sms.TextID(m), Time: m.Values.OccurredAt.UTC().Truncate(time.Second), Properties: sms.EventProperties(m),
		Metric:  related[metric]{Data: resource[metric]{Type: "metric", Attributes: metric{Name: sms.EventName(m)}}},
		Profile: related[profile]{Data: resource[profile]{Type: "profile", Attributes: profile{Email: m.Email, PhoneNumber: m.To}}},
	}
	total, currency := m.Values.Variables["charge.total"], m.Values.Variables["charge.currency"]
	if regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$`).MatchString(total) && regexp.MustCompile(`^[A-Z]{3}$`).MatchString(currency) {
		attributes.Value, attributes.ValueCurrency = json.Number(total), currency
	}
	return event{Data: resource[eventAttributes]{Type: "event", Attributes: attributes}}
}
