package wording

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a name in a text.
const (
	maxName       = 50 // characters
	maxNameDigits = 3
)

// Greeting returns a name that a text may contain, "" for any other. Anybody can sign up with a stranger's phone and an
// advertisement as a name, and the shop would send it: a name has letters, and no link, address or markup.
func Greeting(name string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	if utf8.RuneCountInString(name) > maxName || !isNameText(visible) {
		return ""
	}
	for word := range strings.FieldsSeq(visible) {
		if isDomain(word) {
			return ""
		}
	}
	return name
}

// isNameText reports whether all characters of a text occur in names.
func isNameText(text string) bool {
	letters, digits := 0, 0
	for _, r := range text {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		case unicode.IsMark(r), r == ' ', r == '\u00a0', strings.ContainsRune("'\u2018\u2019\u02bb`\u00b4-\u2010\u2011\u2013\u00b7\u30fb.,&", r):
		default:
			return false
		}
	}
	return letters > 0 && digits <= maxNameDigits
}

// isDomain reports whether a word has a point within, as in "shop.example". Initials such as "J.R." are no domain.
func isDomain(word string) bool {
	parts := strings.Split(strings.TrimRight(word, "."), ".")
	if len(parts) < 2 {
		return false
	}
	for _, part := range parts {
		if letters := strings.Trim(part, ","); utf8.RuneCountInString(letters) != 1 {
			return true
		}
	}
	return false
}
