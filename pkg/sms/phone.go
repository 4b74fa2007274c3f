package sms

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
)

// Why a phone number can not get a text. None of them quotes the number.
var (
	ErrNoNumber      = errors.New("no phone number")
	ErrInvalidNumber = errors.New("not a valid phone number; without a country code it also needs the right country")
	ErrNoTexts       = errors.New("a phone number of a kind that gets no texts (fixed line, toll-free, premium rate, pager)")
)

// maxRaw bounds a number as it was typed in, in bytes.
const maxRaw = 100

// Normalize returns a phone number in E.164 ("+14155550123"). A number without a country code is read as one of
// defaultRegion (ISO 3166 alpha-2, "US"; "" for none). Extensions are dropped.
//
// The error is ErrNoNumber, ErrInvalidNumber or ErrNoTexts. In countries where a number does not tell fixed from mobile,
// such as the US and Canada, it is accepted.
func Normalize(raw, defaultRegion string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", ErrNoNumber
	}
	if len(raw) > maxRaw {
		return "", ErrInvalidNumber
	}
	number, err := phonenumbers.Parse(raw, strings.ToUpper(defaultRegion))
	if err != nil || !phonenumbers.IsPossibleNumber(number) || !phonenumbers.IsValidNumber(number) {
		return "", ErrInvalidNumber
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.FIXED_LINE, phonenumbers.TOLL_FREE, phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST,
		phonenumbers.PAGER, phonenumbers.UAN, phonenumbers.VOICEMAIL, phonenumbers.UNKNOWN:
		return "", ErrNoTexts
	default:
		return phonenumbers.Format(number, phonenumbers.E164), nil
	}
}

// Mask hides the middle of an E.164 number: "+14155550123" becomes "+14*******23". What is too short to be hidden that
// way becomes "***".
func Mask(e164 string) string {
	if len(e164) < 8 {
		return "***"
	}
	return e164[:3] + strings.Repeat("*", len(e164)-5) + e164[len(e164)-2:]
}

// IsE164 tells whether a number has the form of E.164: a plus and 7 to 15 digits, the first not 0.
func IsE164(number string) bool {
	digits, found := strings.CutPrefix(number, "+")
	if !found || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}
