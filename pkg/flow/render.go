package flow

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a text.
const (
	MaxSource = 2 << 10 // bytes of a template
	MaxText   = 1600    // characters of a rendered text: Twilio's limit (https://www.twilio.com/docs/messaging/api/message-resource)
)

// Errors of Render. None of them contains a customer's values.
var (
	ErrBadTemplate = errors.New("the template is invalid; run flows preview to see the errors")
	ErrTooLong     = fmt.Errorf("the text is longer than %d characters with this customer's values", MaxText)
	ErrEmpty       = errors.New("the text is empty with this customer's values")
)

// Render renders the flow's text for one customer and normalizes it. Braces in a customer's values are plain characters. The text begins
// with the name of the shop, also where the template does not, and says how to opt out if v.OptOut is set.
//
// The error wraps ErrBadTemplate, ErrTooLong or ErrEmpty. It names the flow and never quotes a customer's values. The same
// values fail again.
func Render(f Flow, v Variables) (string, error) {
	text, err := rendered(f.Text, v)
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, ErrTooLong), errors.Is(err, ErrEmpty):
		return "", fmt.Errorf("render flow %s: %w", f.Key, err)
	default:
		return "", fmt.Errorf("render flow %s: %w", f.Key, ErrBadTemplate)
	}
}

// rendered is Render with the engine's original errors, which may quote values.
func rendered(template string, v Variables) (string, error) {
	if len(template) > MaxSource {
		return "", fmt.Errorf("template has %d bytes, at most %d are allowed", len(template), MaxSource)
	}
	if !utf8.ValidString(template) {
		return "", errors.New("the template is not UTF-8")
	}
	if problems := scan(template).problems; len(problems) > 0 {
		return "", errors.New(strings.Join(problems, "; "))
	}
	raw, err := fill(template, v.bindings())
	if errors.Is(err, errTooLong) {
		return "", ErrTooLong
	}
	if err != nil {
		return "", err
	}
	text := Normalize(raw)
	if text == "" {
		return "", ErrEmpty
	}
	if text = framed(text, template, v); utf8.RuneCountInString(text) > MaxText {
		return "", ErrTooLong
	}
	return text, nil
}
