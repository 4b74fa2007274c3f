package admission

import (
	"errors"
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Refusal is a response other than 200. The request has no effect.
type Refusal struct {
	Status int
	Reason reason.Reason
	Advice string // tells the caller what to change
}

// Error is the reason.
func (r *Refusal) Error() string { return string(r.Reason) }

// Refuse returns a *Refusal.
func Refuse(status int, why reason.Reason, advice string) error {
	return &Refusal{Status: status, Reason: why, Advice: advice}
}

func unauthorized(why reason.Reason, advice string) error {
	return Refuse(http.StatusUnauthorized, why, advice)
}

// NotStored returns the refusal of a webhook that Kafka did not store. One that it would never store must not get 503: Recharge deletes
// the registration of a webhook after 20 failed attempts (https://docs.getrecharge.com/docs/webhooks-overview). A refused timestamp is
// ours and concerns all webhooks: they can be stored once the clock is right.
func NotStored(err error) *Refusal {
	switch {
	case errors.Is(err, kafka.ErrTooLarge):
		return &Refusal{Status: http.StatusRequestEntityTooLarge, Reason: reason.RecordTooLarge, Advice: "not stored: Kafka refuses a record of this size"}
	case errors.Is(err, kafka.ErrInvalidTimestamp):
		return &Refusal{
			Status: http.StatusServiceUnavailable, Reason: reason.TimestampRefused,
			Advice: "not stored, Kafka refuses the time of the record; send it again",
		}
	}
	why := reason.KafkaUnavailable
	if errors.Is(err, kafka.ErrPartitionCount) {
		why = reason.PartitionsChanged
	}
	return &Refusal{Status: http.StatusServiceUnavailable, Reason: why, Advice: "not stored; send it again"}
}

// ReasonOfServer returns the reason of an answer that net/http gave by itself.
func ReasonOfServer(status int) reason.Reason {
	if status == http.StatusRequestHeaderFieldsTooLarge {
		return reason.HeaderTooLarge
	}
	return reason.MalformedRequest
}
