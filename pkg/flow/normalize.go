package flow

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalize makes a text cheap to send without changing what it says: one typographic quote would switch all of it to an
// encoding with less than half the room. Quotes, dashes, ellipses and unusual spaces become ASCII, invisible characters
// go, letters are composed (NFC), runs of blanks become one, lines are trimmed, of empty lines at most one stays.
func Normalize(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, ""))
	var b strings.Builder
	for _, r := range text {
		b.WriteString(plain(r))
	}
	var lines []string
	// Composed once more: what went may have stood between a letter and its accent.
	for line := range strings.SplitSeq(norm.NFC.String(b.String()), "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// plain returns what to write for a character.
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
	case strings.ContainsRune("\u200d\ufe0f", r): // parts of emoji
		return string(r)
	case unicode.IsSpace(r):
		return " "
	case unicode.In(r, unicode.Cc, unicode.Cf):
		return ""
	default:
		return string(r)
	}
}
