package timeline

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Masker hides personal data in what is shown.
type Masker struct {
	reveal         bool
	emails, phones *regexp.Regexp
}

// NewMasker returns a Masker; with reveal it hides nothing.
func NewMasker(reveal bool) Masker {
	return Masker{
		reveal: reveal,
		emails: regexp.MustCompile(`[^\s"'<>(){}\[\],;:=]+@[^\s"'<>(){}\[\],;:=]+`),
		phones: regexp.MustCompile(`\+\d{7,15}|\+?\(?\d[\d\s().-]{8,}\d`),
	}
}

// Text returns words of others with their e-mails and phone numbers masked.
func (m Masker) Text(text string) string {
	if m.reveal {
		return text
	}
	return m.phones.ReplaceAllStringFunc(m.emails.ReplaceAllStringFunc(text, maskEmail), sms.Mask)
}

// Email returns an e-mail, masked: jo@example.com is j***@example.com.
func (m Masker) Email(email string) string {
	if m.reveal || email == "" {
		return email
	}
	return maskEmail(email)
}

func maskEmail(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	first := []rune(local + "*")[:1]
	return string(first) + "***@" + domain
}

// value returns the value of a record, if it may be shown.
func (m Masker) value(value []byte) json.RawMessage {
	switch {
	case !m.reveal || value == nil:
		return nil
	case json.Valid(value):
		return value
	}
	quoted, _ := json.Marshal(string(value)) // a string is always valid
	return quoted
}
