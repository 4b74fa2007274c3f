package flow

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// optOutWord is the keyword that every carrier and provider knows.
const optOutWord = "STOP"

// framed puts the name of the shop before a text that does not begin with it, and the words that say how to opt out after one whose
// template does not.
func framed(text, template string, v Variables) string {
	if brand := Normalize(v.Shop.Name); brand != "" && !beginsWith(text, brand) {
		text = brand + ": " + text
	}
	itself := hasWord(template, optOutWord) && hasWord(text, optOutWord)
	if words := Normalize(v.Shop.OptOut); v.OptOut && words != "" && !itself {
		text += " " + words
	}
	return text
}

// beginsWith reports whether a text begins with a brand, in upper or lower case, and not with a longer word.
func beginsWith(text, brand string) bool {
	if len(text) < len(brand) || !strings.EqualFold(text[:len(brand)], brand) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(text[len(brand):])
	return !unicode.IsLetter(next) && !unicode.IsDigit(next)
}

// hasWord reports whether a text has a word in capital letters.
func hasWord(text, word string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }), word)
}
