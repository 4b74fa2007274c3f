package httpclient

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxQuote is the length of the longest quote in bytes.
const MaxQuote = 500

// maxQuoted limits the bytes of a text that are read for a quote.
const maxQuoted = 64 << 10

// Quoter quotes the texts of responses in errors and logs.
type Quoter struct {
	markup, url, named, token, number *regexp.Regexp
}

// NewQuoter returns a Quoter.
func NewQuoter() Quoter {
	return Quoter{
		markup: regexp.MustCompile(`(?is)<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)\s*>|<[a-z/!?][^>]*>`),
		url:    regexp.MustCompile(`(?i)\b(https?://[^\s/"'<>?#]+)[/?#][^\s"'<>]+`),
		named:  regexp.MustCompile(`(?i)\b((?:bearer|basic) |(?:token|secret|password|api[_-]?key)"?\s*[:=]\s*"?)[^\s",;]+`),
		token:  regexp.MustCompile(`[0-9A-Za-z_+/=]{32,}`),
		number: regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\+?[0-9](?:[ ().-]{0,2}[0-9]){7,}`),
	}
}

// Quote returns a text on one line, without markup and control characters, cut to MaxQuote bytes. It replaces by *** each of
// the private texts, e-mail addresses, phone numbers, tokens and the paths of URLs.
func (q Quoter) Quote(text string, private ...string) string {
	text = strings.ToValidUTF8(text[:min(len(text), maxQuoted)], "?")
	text = html.UnescapeString(q.markup.ReplaceAllString(text, " "))
	text = strings.Join(strings.FieldsFunc(text, isBlank), " ")
	text = hide(text, private)
	text = q.url.ReplaceAllString(text, "$1/***")
	text = q.named.ReplaceAllString(text, "$1***")
	text = q.token.ReplaceAllStringFunc(text, hideToken)
	text = q.number.ReplaceAllStringFunc(text, hideNumber)
	words := strings.Split(text, " ")
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "***"
		}
	}
	return Cut(strings.Join(words, " "), MaxQuote)
}

// Cut returns the start of a text, at most size bytes that end with a whole character.
func Cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// hide replaces private texts, the longest first: one may be the start of another.
func hide(text string, private []string) string {
	private = slices.Clone(private)
	slices.SortFunc(private, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range private {
		if secret = strings.Join(strings.FieldsFunc(secret, isBlank), " "); secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// maxPhoneDigits is the length of the longest phone number (https://www.itu.int/rec/T-REC-E.164). A longer number is the id of
// an incident at the firewall, which its support asks for.
const maxPhoneDigits = 15

// hideNumber hides what may be a phone number, and keeps other ids.
func hideNumber(id string) string {
	digits := 0
	for _, c := range id {
		switch {
		case unicode.IsDigit(c):
			digits++
		case unicode.IsLetter(c):
			return id // a UUID
		}
	}
	if digits > maxPhoneDigits {
		return id
	}
	return "***"
}

// hideToken hides a long word if it has digits.
func hideToken(word string) string {
	if strings.ContainsAny(word, "0123456789") {
		return "***"
	}
	return word
}

// isBlank reports whether a character is invisible: white space, control and format characters.
func isBlank(c rune) bool {
	return unicode.IsSpace(c) || unicode.IsControl(c) || unicode.Is(unicode.Cf, c)
}
