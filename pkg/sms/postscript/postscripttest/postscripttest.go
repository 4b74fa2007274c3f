package postscripttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// The keys of the simulator's account, and of a partner that may act for it.
const (
	Key        = "sk_shop_0a0a0a0a"
	PartnerKey = "sk_partner_0b0b0b0b"
)

// Event is an event as Postscript has it (https://developers.postscript.io/reference/create-custom-event).
type Event struct {
	Type         string         `json:"type"`
	SubscriberID string         `json:"subscriber_id"`
	Phone        string         `json:"phone"`
	Email        string         `json:"email"`
	OccurredAt   string         `json:"occurred_at"`
	Properties   map[string]any `json:"properties"`
	ExternalID   string         `json:"external_id"`
}

// Postscript is a running simulator. It drops no event, because Postscript does not say that it does.
type Postscript struct {
	*smstest.Server[Event]
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New() *Postscript {
	return &Postscript{Server: smstest.Serve(smstest.Protocol[Event]{
		Read: read, Number: func(e Event) string { return e.Phone }, Answer: func(_ Event, nth int) smstest.Behaviour {
			return smstest.Behaviour{Status: http.StatusAccepted, Body: fmt.Sprintf(`{"event_ids": ["0000-abcd-%04d"]}`, nth)}
		},
	})}
}

// Invalid is the answer to an event that is wrong. Nothing is published of its body.
func Invalid() smstest.Behaviour { return smstest.Behaviour{Status: http.StatusBadRequest, Body: "{}"} }

// Unauthorized is the answer to a key that is wrong. Its body is an assumption
// (https://github.com/api-evangelist/postscript, errors/postscript-problem-types.yml).
func Unauthorized() smstest.Behaviour {
	return smstest.Behaviour{Status: http.StatusUnauthorized, Body: `{"detail":"Unauthorized"}`}
}

func read(r *http.Request, body []byte) (Event, smstest.Behaviour, error) {
	switch {
	case !authorized(r):
		return Event{}, Unauthorized(), errors.New("a key is missing or wrong")
	case r.Method != http.MethodPost || r.URL.Path != "/api/v2/events":
		return Event{}, smstest.Behaviour{Status: http.StatusNotFound, Body: "{}"}, errors.New("no such path")
	case r.Header.Get("Content-Type") != "application/json":
		return Event{}, Invalid(), errors.New("not JSON")
	}
	var event Event
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&event); err != nil {
		return Event{}, Invalid(), err
	}
	if err := event.check(); err != nil {
		return Event{}, Invalid(), err
	}
	return event, smstest.Behaviour{}, nil
}

// authorized reports whether a shop calls for itself, or a partner for it (https://developers.postscript.io/docs/api-authentication).
func authorized(r *http.Request) bool {
	switch r.Header.Get("Authorization") {
	case "Bearer " + Key:
		return r.Header.Get("X-Postscript-Shop-Token") == ""
	case "Bearer " + PartnerKey:
		return r.Header.Get("X-Postscript-Shop-Token") == Key
	}
	return false
}

func (e Event) check() error {
	switch {
	case !regexp.MustCompile(`^[A-Za-z0-9_]+$`).MatchString(e.Type):
		return errors.New("type is missing, or has other characters than letters, digits and underscores")
	case e.SubscriberID == "" && e.Phone == "" && e.Email == "":
		return errors.New("the event is nobody's")
	}
	if _, err := time.Parse("2006-01-02 15:04:05.000000", e.OccurredAt); e.OccurredAt != "" && err != nil {
		return fmt.Errorf("occurred_at: %w", err)
	}
	for name, value := range e.Properties {
		switch value.(type) {
		case string, bool, float64:
		default:
			return fmt.Errorf("the property %s is neither a text nor a boolean nor a number", name)
		}
	}
	return nil
}
