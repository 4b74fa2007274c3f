package twilio

import (
	"encoding/json"
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// code is what a code of a refusal means. Its source is https://www.twilio.com/docs/api/errors/{number}.
type code struct {
	number  int
	class   sms.Class
	meaning string
}

// codes returns the codes that Messages answers with. Those that a text gets after it was accepted, such as 30003, come with its status.
func codes() []code {
	return []code{
		// The account: nothing is accepted until it is mended.
		{10001, sms.Config, "account is not active"},
		{20003, sms.Config, "wrong credentials"},
		{20005, sms.Config, "account is not active"},
		{20403, sms.Config, "account is suspended or closed"},
		{20404, sms.Config, "account not found"},
		{90010, sms.Config, "account is not active"},
		{21608, sms.Config, "a trial account may not text an unverified number"},
		// The sender, as configured.
		{21212, sms.Config, "invalid From"},
		{21603, sms.Config, "From is missing"},
		{21606, sms.Config, "From is not a number of the account that can send texts"},
		{21609, sms.Config, "invalid StatusCallback"},
		{21660, sms.Config, "From is not a number of the account"},
		{21703, sms.Config, "the messaging service has no number"},
		{21704, sms.Config, "the messaging service has no number for this text"},
		{21705, sms.Config, "invalid MessagingServiceSid"},
		// Too many: it was not created.
		{14107, sms.NotSent, "too many texts of the number"},
		{20429, sms.NotSent, "too many requests"},
		{21611, sms.NotSent, "the queue of the number is full"},
		{63017, sms.NotSent, "too many texts of the account"},
		// The recipient.
		{21610, sms.OptedOut, "the recipient has opted out"},
		{21211, sms.Rejected, "invalid To"},
		{21408, sms.Rejected, "the region is not enabled"},
		{21604, sms.Rejected, "To is missing"},
		{21612, sms.Rejected, "no route from the sender to the number"},
		{21614, sms.Rejected, "the number can't receive texts"},
		{21635, sms.Rejected, "the number is a landline"},
		// The text.
		{21602, sms.Rejected, "Body is missing"},
		{21605, sms.Rejected, "Body is too long"},
		{21617, sms.Rejected, "Body is too long"},
	}
}

// refused returns the error for an answer other than 2xx. A 4xx whose code is not in the table may be of the text or of all: if others are
// accepted meanwhile, it is of the text.
func refused(answer smsclient.Answer) *sms.SendError {
	class, number := smsclient.ClassOf(answer.Status), 0
	if answer.Status >= 400 && answer.Status < 500 && class != sms.Unknown {
		number = codeOf(answer.Body)
		if class == sms.Rejected {
			class = sms.Forbidden
		}
	}
	if number == 0 {
		return answer.Error(class, "")
	}
	for _, known := range codes() {
		if known.number == number {
			class = known.class
		}
	}
	return answer.Error(class, "twilio_"+strconv.Itoa(number))
}

// codeOf returns the code of a refusal, 0 for one that is not Twilio's.
func codeOf(body []byte) int {
	var refusal struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &refusal) != nil || refusal.Code < 0 || refusal.Code > 999_999 {
		return 0
	}
	return refusal.Code
}

// hasOptedOut reports whether a code, also one of a text that was accepted, means that the recipient has opted out. A Messaging Service
// accepts such a text first (https://github.com/nyaruka/courier/issues/180).
func hasOptedOut(number string) bool {
	for _, known := range codes() {
		if known.class == sms.OptedOut && strconv.Itoa(known.number) == number {
			return true
		}
	}
	return false
}
