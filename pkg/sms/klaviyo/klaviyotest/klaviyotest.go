package klaviyotest

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Key is the private key of the simulator's account.
const Key = "pk_00000000000000000000000000000000aa"

// Revision is the only revision that the simulator knows.
const Revision = "2026-07-15"

// Klaviyo is a running simulator.
type Klaviyo struct {
	*smstest.Server[Event]

	now func() time.Time
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New(now func() time.Time) *Klaviyo {
	k := &Klaviyo{now: now}
	k.Server = smstest.Serve(smstest.Protocol[Event]{
		Read: k.read, Number: func(e Event) string { return e.PhoneNumber }, Answer: func(Event, int) smstest.Behaviour {
			return smstest.Behaviour{Status: http.StatusAccepted, Body: smstest.Empty}
		}, Same: repeats,
	})
	return k
}

// repeats reports whether an event is dropped: Klaviyo records only the first one of a profile and metric with a unique_id.
func repeats(earlier, e Event) bool {
	return e.UniqueID != "" && earlier.UniqueID == e.UniqueID && earlier.Metric == e.Metric && profileOf(earlier) == profileOf(e)
}

// profileOf returns what stands for the profile of an event. Which one Klaviyo takes of two is an assumption.
func profileOf(e Event) string { return cmp.Or(e.Email, e.PhoneNumber) }

func (k *Klaviyo) read(r *http.Request, body []byte) (Event, smstest.Behaviour, error) {
	refusal := check(r)
	event := Event{}
	if refusal.Status == 0 {
		event, refusal = decode(body, k.now())
	}
	if refusal.Status != 0 {
		return Event{}, refusal, errors.New(refusal.Body)
	}
	return event, refusal, nil
}

// check returns the refusal of a request whose body is not read, the zero value for none.
func check(r *http.Request) smstest.Behaviour {
	authorization := r.Header.Get("Authorization")
	switch {
	case r.URL.Path != "/api/events":
		return Refusal(http.StatusNotFound, "not_found", "Not found.", "The path is not known.", "/data/")
	case r.Method != http.MethodPost:
		return Refusal(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed.", "The method is not allowed.", "/data/")
	case !strings.HasPrefix(authorization, "Klaviyo-API-Key "):
		return NotAuthenticated()
	case authorization != "Klaviyo-API-Key "+Key:
		return WrongKey()
	case r.Header.Get("Revision") != Revision:
		return Invalid("The revision is missing or not known.", "/data/")
	case r.Header.Get("Content-Type") != "application/vnd.api+json":
		return Refusal(http.StatusUnsupportedMediaType, "unsupported_media_type", "Unsupported media type.", "Expected application/vnd.api+json.", "/data/")
	}
	return smstest.Behaviour{}
}
