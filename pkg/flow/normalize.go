package flow

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalize replaces characters that make a text expensive to send: one typographic quote switches the whole text to an
// encoding with less than half the characters per message. Quotes, dashes, ellipses and unusual spaces become ASCII. Invisible
// characters and the rest of an emoji that was cut are removed. Letters are composed (NFC). Runs of blanks become one, lines are
// trimmed, runs of empty lines become one.
func Normalize(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, ""))
	var b strings.Builder
	for _, r := range text {
		b.WriteString(plain(r))
	}
	var lines []string
	// Compose again: a removed character may have separated a letter from its accent.
	for line := range strings.SplitSeq(norm.NFC.String(withoutCutEmoji(b.String())), "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// plain returns the replacement of a character.
func plain(r rune) string {
	switch {
	case strings.ContainsRune("\u2018\u2019\u201a\u201b\u2032\u00b4`", r):
		return "'"
	case strings.ContainsRune("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", r):
		return "\""
	case strings.ContainsRune("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022", r):
		return "-"
	case r == '\u2026':
		return "..."
	case strings.ContainsRune("\n\u2028\u2029", r):
		return "\n"
	case unicode.IsSpace(r):
		return " "
	case isInvisible(r):
		return ""
	default:
		return string(r)
	}
}

// isInvisible reports whether r shows nothing, and is no part of an emoji. The replacement character stands for what was no
// character.
func isInvisible(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf) && r != joiner
}
