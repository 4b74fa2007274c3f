package klaviyotest

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Event is an event as Klaviyo has it.
type Event struct {
	Metric             string
	Email, PhoneNumber string
	UniqueID           string
	Time               string
	Value              json.Number
	ValueCurrency      string
	Properties         map[string]any
}

// request is the body of a request (https://github.com/klaviyo/openapi, openapi/stable/apis/create_event.json).
type request struct {
	Data struct {
		Type       string `json:"type"`
		Attributes struct {
			Properties    *map[string]any `json:"properties"`
			Time          string          `json:"time"`
			Value         json.Number     `json:"value"`
			ValueCurrency string          `json:"value_currency"`
			UniqueID      string          `json:"unique_id"`
			Backfill      bool            `json:"backfill"`
			Metric        struct {
				Data struct {
					Type       string `json:"type"`
					Attributes struct {
						Name    string `json:"name"`
						Service string `json:"service"`
					} `json:"attributes"`
				} `json:"data"`
			} `json:"metric"`
			Profile struct {
				Data struct {
					Type       string `json:"type"`
					ID         string `json:"id"`
					Attributes struct {
						Email       string `json:"email"`
						PhoneNumber string `json:"phone_number"`
						ExternalID  string `json:"external_id"`
						FirstName   string `json:"first_name"`
						LastName    string `json:"last_name"`
					} `json:"attributes"`
				} `json:"data"`
			} `json:"profile"`
		} `json:"attributes"`
	} `json:"data"`
}

// decode decodes and checks an event. The refusal is the zero value for none.
func decode(body []byte, now time.Time) (Event, smstest.Behaviour) {
	var r request
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return Event{}, Invalid(err.Error(), "/data")
	}
	a := r.Data.Attributes
	if refusal := r.check(now); refusal.Status != 0 {
		return Event{}, refusal
	}
	p := a.Profile.Data.Attributes
	return Event{
		Metric: a.Metric.Data.Attributes.Name, Email: p.Email, PhoneNumber: p.PhoneNumber, UniqueID: a.UniqueID, Time: a.Time, Value: a.Value,
		ValueCurrency: a.ValueCurrency, Properties: *a.Properties,
	}, smstest.Behaviour{}
}

// check returns the refusal of an event, the zero value for none.
func (r request) check(now time.Time) smstest.Behaviour {
	a := r.Data.Attributes
	name := a.Metric.Data.Attributes.Name
	switch {
	case r.Data.Type != "event" || a.Metric.Data.Type != "metric" || a.Profile.Data.Type != "profile":
		return Invalid("A type is missing or wrong.", "/data/type")
	case name == "" || len(name) >= 128:
		return Invalid("The name of a metric has 1 to 127 characters.", "/data/attributes/metric/data/attributes/name")
	case a.Properties == nil:
		return Invalid("'properties' is a required field.", "/data/attributes/properties")
	case len(*a.Properties) > 400:
		return Invalid("An event has at most 400 properties.", "/data/attributes/properties")
	}
	if refusal := r.checkTime(now); refusal.Status != 0 {
		return refusal
	}
	return r.checkProfile()
}

func (r request) checkTime(now time.Time) smstest.Behaviour {
	if r.Data.Attributes.Time == "" {
		return smstest.Behaviour{}
	}
	at, err := time.Parse(time.RFC3339, r.Data.Attributes.Time)
	if err != nil || at.Year() <= 1990 || at.After(now.AddDate(1, 0, 0)) {
		return Invalid("The time is no date, before 1991, or more than a year in the future.", "/data/attributes/time")
	}
	return smstest.Behaviour{}
}

func (r request) checkProfile() smstest.Behaviour {
	const at = "/data/attributes/profile/data/attributes"
	p := r.Data.Attributes.Profile.Data
	switch {
	case p.ID == "" && p.Attributes.Email == "" && p.Attributes.PhoneNumber == "" && p.Attributes.ExternalID == "":
		return Invalid("One of id, email, phone_number and external_id is required.", at)
	case p.Attributes.PhoneNumber != "" && p.Attributes.Email == "" && !sms.IsE164(p.Attributes.PhoneNumber):
		return InvalidNumber() // with an e-mail it is left out
	}
	return smstest.Behaviour{}
}
