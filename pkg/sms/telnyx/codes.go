package telnyx

import (
	"encoding/json"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// code is what a code of an error means.
type code struct {
	number  string
	class   sms.Class
	meaning string
}

// codes returns those of https://developers.telnyx.com/docs/messaging/messages/error-codes/index (40xxx) and
// https://developers.telnyx.com/development/api-fundamentals/api-errors (10xxx) that say whether the text or the account is the reason.
func codes() []code {
	return []code{
		// The account and its settings: nothing is accepted until they are mended.
		{"10003", sms.Config, "invalid webhook_url"},
		{"10005", sms.Config, "the address is not found"},
		{"10006", sms.Config, "invalid id, such as that of the messaging profile"},
		{"10009", sms.Config, "authentication failed"},
		{"10010", sms.Config, "not authorized"},
		{"10039", sms.Config, "the account may text verified numbers only"},
		{"40013", sms.Config, "invalid source number"},
		{"40305", sms.Config, "from is not a number of the messaging profile"},
		// Too many.
		{"10011", sms.NotSent, "too many requests"},
		{"40011", sms.NotSent, "too many texts"},
		// The recipient and the text.
		{"40300", sms.OptedOut, "the recipient has opted out"},
		{"10016", sms.Rejected, "the number is not in E.164"},
		{"40001", sms.Rejected, "the number is a landline, or has no route"},
		{"40009", sms.Rejected, "invalid text"},
		{"40012", sms.Rejected, "invalid number"},
	}
}

// apiError is an element of errors, in an answer and in a report.
type apiError struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// refused returns the error for an answer other than 2xx. A 4xx whose code is not in the table may be of the text or of all: if others are
// accepted meanwhile, it is of the text.
func refused(answer smsclient.Answer) *sms.SendError {
	class, number := smsclient.ClassOf(answer.Status), ""
	if answer.Status >= 400 && answer.Status < 500 && class != sms.Unknown {
		number = codeOf(answer.Body)
		if class == sms.Rejected {
			class = sms.Forbidden
		}
	}
	if number == "" {
		return answer.Error(class, "")
	}
	for _, known := range codes() {
		if known.number == number {
			class = known.class
		}
	}
	return answer.Error(class, "telnyx_"+number)
}

// codeOf returns the code of the first error of a refusal, "" for one that is not Telnyx's.
func codeOf(body []byte) string {
	var refusal struct {
		Errors []apiError `json:"errors"`
	}
	if json.Unmarshal(body, &refusal) != nil || len(refusal.Errors) == 0 {
		return ""
	}
	number := refusal.Errors[0].Code
	if len(number) > 6 || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	return number
}

// hasOptedOut reports whether a code means that the recipient has opted out.
func hasOptedOut(number string) bool {
	for _, known := range codes() {
		if known.number == number {
			return known.class == sms.OptedOut
		}
	}
	return false
}
