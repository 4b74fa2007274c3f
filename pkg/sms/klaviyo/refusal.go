package klaviyo

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// refusal is the body of an answer other than 2xx (https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling).
type refusal struct {
	Errors []struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
		Source struct {
			Pointer string `json:"pointer"`
		} `json:"source"`
	} `json:"errors"`
}

// classOf returns the class of a code, "" for one that is not known.
func classOf(code string) sms.Class {
	switch code {
	case "not_authenticated", "authentication_failed", "permission_denied": // https://github.com/trufflesecurity/trufflehog/pull/1870
		return sms.Config
	case "throttled": // https://github.com/klaviyo/klaviyo-api-node/issues/66
		return sms.NotSent
	case "invalid": // of the event, or of the request: a missing revision is invalid, too
		return sms.Forbidden
	}
	return ""
}

// refused returns the error for an answer other than 2xx. A 4xx that is not known may be of the event or of all: if others are accepted
// meanwhile, it is of the event.
func refused(answer smsclient.Answer) *sms.SendError {
	class := statusClass(answer.Status)
	if answer.Status < 400 || answer.Status >= 500 || class == sms.Unknown {
		return answer.Error(class, "")
	}
	body := refusalOf(answer.Body)
	if answer.Status == http.StatusTooManyRequests && answer.RetryAfter == 0 {
		answer.RetryAfter = body.retryAfter()
	}
	switch known := body.class(); {
	case known == "":
		return answer.Error(class, "")
	case body.isOfProfile():
		return answer.Error(sms.Rejected, "klaviyo_invalid_profile")
	default:
		return answer.Error(known, "klaviyo_"+body.Errors[0].Code)
	}
}

// statusClass returns the class for a status. Klaviyo answers 410 once the revision is retired.
func statusClass(status int) sms.Class {
	class := smsclient.ClassOf(status)
	switch {
	case status == http.StatusGone:
		return sms.Config
	case class == sms.Rejected:
		return sms.Forbidden
	}
	return class
}

// refusalOf decodes the body of an answer, empty for one that is not Klaviyo's.
func refusalOf(body []byte) (r refusal) {
	if json.Unmarshal(body, &r) != nil {
		return refusal{}
	}
	return r
}

// class returns the class of the first error, "" if it is not known.
func (r refusal) class() sms.Class {
	if len(r.Errors) == 0 {
		return ""
	}
	return classOf(r.Errors[0].Code)
}

// isOfProfile reports whether the e-mail or the number is the only thing that is wrong.
func (r refusal) isOfProfile() bool {
	for _, e := range r.Errors {
		field := e.Source.Pointer[strings.LastIndex(e.Source.Pointer, "/")+1:]
		if e.Code != "invalid" || !slices.Contains([]string{"email", "phone_number"}, field) {
			return false
		}
	}
	return len(r.Errors) > 0
}

// maxRetryAfter limits what is read from the words of an error. Klaviyo counts requests by the second and by the minute.
const maxRetryAfter = 60

// retryAfter returns after how long Klaviyo expects to take requests again, by the words of an error. They have it where an answer has
// no Retry-After (https://github.com/klaviyo/klaviyo-api-python/issues/15).
func (r refusal) retryAfter() time.Duration {
	for _, e := range r.Errors {
		if found := regexp.MustCompile(`Expected available in ([0-9]{1,4})(?:\.[0-9]+)? second`).FindStringSubmatch(e.Detail); found != nil {
			seconds, _ := strconv.Atoi(found[1]) // digits
			return time.Duration(min(seconds, maxRetryAfter)) * time.Second
		}
	}
	return 0
}
