package sms

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
)

// Errors of Number, Normalize and Canonical. They don't contain the number.
var (
	ErrCountryUnknown = errors.New("the number has no country code, and its country is not known")
	ErrNoNumber       = errors.New("no phone number")
	ErrInvalidNumber  = errors.New("not a valid phone number (without a country code it is read as a number of the default region)")
	ErrNotSMSCapable  = errors.New("phone number can't receive texts (fixed line, toll-free, premium rate, pager)")
)

// Number returns the phone number of a place in E.164. A number without a country code is read as one of the country of the place, see
// Region, or of defaultRegion where the place names no country. If it names one that is not known, the number must have its country
// code, else the error is ErrCountryUnknown. Other errors are those of Normalize.
func Number(raw, country, defaultRegion string) (string, error) {
	region := defaultRegion
	if country != "" {
		region = Region(country)
	}
	number, err := Normalize(raw, region)
	if country != "" && region == "" && errors.Is(err, ErrInvalidNumber) {
		return "", ErrCountryUnknown
	}
	return number, err
}

// maxRaw is the longest input in bytes.
const maxRaw = 100

// Normalize returns a phone number in E.164 ("+14155550123"). A number without a country code is read as one of
// defaultRegion (ISO 3166 alpha-2, "US"; "" for none). Extensions are dropped.
//
// The error is ErrNoNumber, ErrInvalidNumber or ErrNotSMSCapable. Some countries have the same numbers for fixed lines and
// mobile phones, such as the US and Canada: there every number is accepted.
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
		return "", ErrNotSMSCapable
	default:
		return phonenumbers.Format(number, phonenumbers.E164), nil
	}
}

// Canonical returns a number that has its country code in E.164, in the form that Normalize returns: without separators, and without the 1
// that some networks put after +52 for mobile phones in Mexico. It accepts any number of that length, also one that is not assigned yet.
// The error is ErrNoNumber or ErrInvalidNumber.
func Canonical(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", ErrNoNumber
	}
	if len(raw) > maxRaw || raw[0] != '+' {
		return "", ErrInvalidNumber
	}
	number, err := phonenumbers.Parse(raw, "")
	if err != nil {
		return "", ErrInvalidNumber
	}
	e164 := phonenumbers.Format(number, phonenumbers.E164)
	if national, found := strings.CutPrefix(e164, "+521"); found && len(national) == 10 {
		e164 = "+52" + national
	}
	if !IsE164(e164) {
		return "", ErrInvalidNumber
	}
	return e164, nil
}

// Mask hides the middle of an E.164 number: "+14155550123" becomes "+14*******23". A number of less than 8 characters
// becomes "***".
func Mask(e164 string) string {
	if len(e164) < 8 {
		return "***"
	}
	return e164[:3] + strings.Repeat("*", len(e164)-5) + e164[len(e164)-2:]
}

// IsE164 reports whether a number has the form of E.164: a plus and 7 to 15 digits, the first not 0.
func IsE164(number string) bool {
	digits, found := strings.CutPrefix(number, "+")
	if !found || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}
