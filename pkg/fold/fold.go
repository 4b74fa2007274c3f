// Package fold compares names of people and countries regardless of how they are typed.
package fold

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Words returns the words of a name in lower case, without accents and punctuation: "J. O'Neil-Łęcki" gives j, oneil, lecki.
// Digits are kept. Names with the same words are the same name, typed differently.
func Words(name string) []string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKC.String(name))) {
		b.WriteString(folded(r))
	}
	return strings.Fields(norm.NFC.String(b.String()))
}

// folded returns what is left of a decomposed character.
func folded(r rune) string {
	switch {
	case isAccent(r), strings.ContainsRune(".'\u2018\u2019\u02bb\u02bc`\u00b4", r), unicode.Is(unicode.Cf, r):
		return ""
	case unicode.In(r, unicode.L, unicode.M, unicode.Nd):
		return stroked(r)
	}
	return " "
}

// isAccent reports whether r is an accent of the Latin, Greek and Cyrillic scripts. In other scripts a mark is a vowel: without it
// the word is another one.
func isAccent(r rune) bool { return r >= '\u0300' && r <= '\u036f' }

// stroked replaces letters that Unicode does not decompose.
func stroked(r rune) string {
	switch r {
	case 'ø':
		return "o"
	case 'ł':
		return "l"
	case 'đ', 'ð':
		return "d"
	case 'ħ':
		return "h"
	case 'ı':
		return "i"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	}
	return string(r)
}
