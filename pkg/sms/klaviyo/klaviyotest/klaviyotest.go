// Package klaviyotest simulates Klaviyo's events. It refuses what Klaviyo refuses, records the first event of a unique_id only, and can be set to
// behave in other ways.
package klaviyotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Event is an event as Klaviyo has it.
type Event struct {
	UniqueID     string
	Time         time.Time
	Properties   map[string]any
	Metric       string
	Email, Phone string
}

// body is that of a request (https://github.com/klaviyo/openapi, openapi/stable/apis/create_event.json, EventCreateQueryV2). Other fields that Klaviyo
// knows are refused here, because the driver does not send them.
type body struct {
	Data struct {
		Type       string `json:"type"`
		Attributes struct {
			UniqueID   string         `json:"unique_id"`
			Time       time.Time      `json:"time"`
			Properties map[string]any `json:"properties"`
			Metric     struct {
				Data struct {
					Type       string `json:"type"`
					Attributes struct {
						Name string `json:"name"`
					} `json:"attributes"`
				} `json:"data"`
			} `json:"metric"`
			Profile struct {
				Data struct {
					Type       string `json:"type"`
					Attributes struct {
						Email       string `json:"email"`
						PhoneNumber string `json:"phone_number"`
					} `json:"attributes"`
				} `json:"data"`
			} `json:"profile"`
		} `json:"attributes"`
	} `json:"data"`
}

// Klaviyo is a running simulator.
type Klaviyo struct {
	*smstest.Server[Event]

	apiKey string
	now    func() time.Time
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New(apiKey string, now func() time.Time) *Klaviyo {
	k := &Klaviyo{apiKey: apiKey, now: now}
	k.Server = smstest.Serve(smstest.Protocol[Event]{
		Read: k.read, Number: func(e Event) string { return e.Phone },
		Answer: func(Event, int) smstest.Behaviour {
			return smstest.Behaviour{Status: http.StatusAccepted, Body: smstest.Empty}
		},
		Same: func(a, b Event) bool {
			return a.UniqueID == b.UniqueID && a.Metric == b.Metric && a.Email == b.Email && a.Phone == b.Phone
		},
	})
	return k
}

// Refusal returns an error in Klaviyo's form.
func Refusal(status int, code, pointer string) smstest.Behaviour {
	return smstest.Behaviour{Status: status, Body: fmt.Sprintf(
		`{"errors":[{"id":"0b8e4a1c-5f0e-4b2e-9a0d-6a3f0e1c2d3b","status":%d,"code":%q,"title":"Klaviyo's title.","detail":"Klaviyo's words.","source":{"pointer":%q}}]}`, status, code, pointer)}
}

func (k *Klaviyo) read(r *http.Request, raw []byte) (Event, smstest.Behaviour, error) {
	var b body
	if refusal := k.check(r, raw, &b); refusal.Status != 0 {
		return Event{}, refusal, errors.New(refusal.Body)
	}
	a := b.Data.Attributes
	profile := a.Profile.Data.Attributes
	return Event{
		UniqueID: a.UniqueID, Time: a.Time, Properties: a.Properties, Metric: a.Metric.Data.Attributes.Name, Email: profile.Email, Phone: profile.PhoneNumber,
	}, smstest.Behaviour{}, nil
}

// check returns the refusal of a request, the zero value for none.
func (k *Klaviyo) check(r *http.Request, raw []byte, b *body) smstest.Behaviour {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	switch {
	case r.Header.Get("Authorization") != "Klaviyo-API-Key "+k.apiKey:
		return Refusal(http.StatusUnauthorized, "not_authenticated", "/data/")
	case r.URL.Path != "/api/events" || r.Method != http.MethodPost:
		return Refusal(http.StatusNotFound, "not_found", "/data/")
	case !regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`).MatchString(r.Header.Get("Revision")):
		return Refusal(http.StatusBadRequest, "invalid", "revision")
	case r.Header.Get("Content-Type") != "application/vnd.api+json":
		return Refusal(http.StatusUnsupportedMediaType, "unsupported_media_type", "/data/")
	case decoder.Decode(b) != nil:
		return Refusal(http.StatusBadRequest, "parse_error", "/data/")
	}
	if refusal := k.checkEvent(*b); refusal.Status != 0 {
		return refusal
	}
	return checkProfile(*b)
}

func (k *Klaviyo) checkEvent(b body) smstest.Behaviour {
	a := b.Data.Attributes
	name := a.Metric.Data.Attributes.Name
	switch {
	case b.Data.Type != "event" || a.Metric.Data.Type != "metric" || a.Profile.Data.Type != "profile":
		return Refusal(http.StatusBadRequest, "invalid", "/data/type")
	case name == "" || len(name) >= 128:
		return Refusal(http.StatusBadRequest, "invalid", "/data/attributes/metric/data/attributes/name")
	case a.Properties == nil || len(a.Properties) > 400:
		return Refusal(http.StatusBadRequest, "invalid", "/data/attributes/properties")
	case a.Time.Year() < 1990 || a.Time.After(k.now().AddDate(1, 0, 0)):
		return Refusal(http.StatusBadRequest, "invalid", "/data/attributes/time")
	}
	return smstest.Behaviour{}
}

func checkProfile(b body) smstest.Behaviour {
	p := b.Data.Attributes.Profile.Data.Attributes
	switch {
	case p.Email == "" && p.PhoneNumber == "":
		return Refusal(http.StatusBadRequest, "invalid", "/data/attributes/profile/data")
	case p.PhoneNumber != "" && !sms.IsE164(p.PhoneNumber):
		return Refusal(http.StatusBadRequest, "invalid", "/data/attributes/profile/data/attributes/phone_number")
	}
	return smstest.Behaviour{}
}
