package attentivetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Key is the API key of the simulator's custom app.
const Key = "key-of-the-custom-app"

// Event is an event as Attentive has it (https://docs.attentive.com/reference/postcustomevents).
type Event struct {
	Type            string         `json:"type"`
	Properties      map[string]any `json:"properties"`
	ExternalEventID string         `json:"externalEventId"`
	OccurredAt      string         `json:"occurredAt"`
	User            User           `json:"user"`

	// Mute means that it triggers no journey: it is older than 12 hours.
	Mute bool `json:"-"`
}

// User is whom an event is about.
type User struct {
	Phone string `json:"phone"`
	Email string `json:"email"`
}

// Attentive is a running simulator. It drops no event, because Attentive does not say that it does.
type Attentive struct {
	*smstest.Server[Event]

	now func() time.Time
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New(now func() time.Time) *Attentive {
	a := &Attentive{now: now}
	a.Server = smstest.Serve(smstest.Protocol[Event]{
		Read: a.read, Number: func(e Event) string { return e.User.Phone }, Answer: func(Event, int) smstest.Behaviour {
			return smstest.Behaviour{Status: http.StatusOK, Body: smstest.Empty}
		},
	})
	return a
}

// Refusal is an answer other than 2xx: 400 InvalidParameter, 401 Unauthorized, 403 AccessDenied, 404 NotFound, 429 TooManyRequests, 500
// InternalError (https://github.com/api-evangelist/attentive, errors/attentive-problem-types.yml). Its body is an assumption.
func Refusal(status int, message string) smstest.Behaviour {
	return smstest.Behaviour{Status: status, Body: fmt.Sprintf(`{"message":%q}`, message)}
}

// TooManyRequests is the answer above the limit (https://docs.attentive.com/docs/api-rate-limits).
func TooManyRequests() smstest.Behaviour {
	b := Refusal(http.StatusTooManyRequests, "Too many requests")
	b.Header = http.Header{"X-Ratelimit-Limit": {"150"}, "X-Ratelimit-Remaining": {"0"}}
	return b
}

func (a *Attentive) read(r *http.Request, body []byte) (Event, smstest.Behaviour, error) {
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Key:
		return Event{}, Refusal(http.StatusUnauthorized, "Unauthorized"), errors.New("the key is missing or wrong")
	case r.Method != http.MethodPost || r.URL.Path != "/v1/events/custom":
		return Event{}, Refusal(http.StatusNotFound, "Not found"), errors.New("no such path")
	case r.Header.Get("Content-Type") != "application/json":
		return Event{}, Refusal(http.StatusBadRequest, "Invalid body"), errors.New("not JSON")
	}
	event, err := a.decode(body)
	if err != nil {
		return Event{}, Refusal(http.StatusBadRequest, err.Error()), err
	}
	return event, smstest.Behaviour{}, nil
}

func (a *Attentive) decode(body []byte) (event Event, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&event); err != nil {
		return Event{}, err
	}
	if err := event.check(); err != nil {
		return Event{}, err
	}
	if event.OccurredAt != "" {
		at, err := time.Parse(time.RFC3339, event.OccurredAt)
		if err != nil {
			return Event{}, err
		}
		event.Mute = a.now().Sub(at) > 12*time.Hour
	}
	return event, nil
}

func (e Event) check() error {
	switch {
	case e.Type == "" || strings.ContainsAny(e.Type, `"'(){}[]\|,`):
		return errors.New("type is missing or has special characters")
	case e.User == User{}:
		return errors.New("user is missing")
	case e.User.Phone != "" && !sms.IsE164(e.User.Phone):
		return errors.New("phone is not in E.164")
	case len(e.Properties) > 200:
		return errors.New("more than 200 properties")
	}
	for name, value := range e.Properties {
		if _, text := value.(string); !text || strings.ContainsAny(name, `"{}[]\|`) {
			return fmt.Errorf("a text can't use the property %s", name)
		}
	}
	return nil
}
