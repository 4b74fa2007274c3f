package attentive

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// maxAge is how old an event is that is sent with its time. An hour is left of the 12 until Attentive looks at it
// (https://docs.attentive.com/reference/postcustomevents).
const maxAge = 11 * time.Hour

// event is the body of a request (https://github.com/api-evangelist/attentive, openapi/attentive-custom-events-api-openapi.yml).
type event struct {
	Type            string            `json:"type"`
	Properties      map[string]string `json:"properties"`
	ExternalEventID string            `json:"externalEventId"`
	OccurredAt      time.Time         `json:"occurredAt,omitzero"`
	User            user              `json:"user"`
}

type user struct {
	Phone string `json:"phone,omitempty"` // E.164
	Email string `json:"email,omitempty"`
}

func eventOf(m sms.Message, now time.Time) event {
	e := event{
		Type: sms.EventName(m), Properties: sms.EventProperties(m), ExternalEventID: uuid(sms.TextID(m)), OccurredAt: m.Values.OccurredAt.UTC(),
		User: user{Phone: m.To, Email: m.Email},
	}
	if now.Sub(e.OccurredAt) > maxAge && !e.OccurredAt.IsZero() {
		e.Properties["occurred_at"], e.OccurredAt = e.OccurredAt.Format(time.RFC3339), time.Time{}
	}
	return e
}

// uuid returns the UUID of an id, which Attentive advises: version 8, a hash (https://www.rfc-editor.org/rfc/rfc9562#section-5.8).
func uuid(id string) string {
	hash := sha256.Sum256([]byte(id))
	hash[6], hash[8] = hash[6]&0x0f|0x80, hash[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", hash[:4], hash[4:6], hash[6:8], hash[8:10], hash[10:16])
}
