package flow

import (
	"strings"
	"unicode"
)

const (
	joiner = '\u200d' // joins two emoji to one
	keycap = '\u20e3' // makes a key of a digit and a selector before it
)

// isSelector reports whether r selects the form of the character before it, such as an emoji in color.
func isSelector(r rune) bool { return unicode.Is(unicode.Variation_Selector, r) }

// isHalfFlag reports whether r is one of the two letters of a flag.
func isHalfFlag(r rune) bool { return unicode.Is(unicode.Regional_Indicator, r) }

// withoutCutEmoji removes what is left of an emoji when a title is cut in the middle: half a flag, and a joiner or selector that
// has nothing to join or select. In a text of GSM-7 characters a single one would double its price.
func withoutCutEmoji(text string) string {
	in := append([]rune(text), 0)
	out := []rune{0}
	for i := 0; i < len(in)-1; i++ {
		r, before, after := in[i], out[len(out)-1], in[i+1]
		if isHalfFlag(r) && isHalfFlag(after) {
			out = append(out, r, after)
			i++
			continue
		}
		if !isCut(before, r, after) {
			out = append(out, r)
		}
	}
	return string(out[1:])
}

// isCut reports whether a character was left over when an emoji was cut; before and after are its neighbors.
func isCut(before, r, after rune) bool {
	switch {
	case isHalfFlag(r):
		return true
	case r == joiner:
		return !joins(after) || !joins(before) && !isSelector(before)
	case isSelector(r):
		return !joins(before) && !isKeycap(before, after)
	}
	return false
}

// joins reports whether a character can be next to a joiner or before a selector: it is outside of GSM-7, and no accent, with which
// a letter may become one of GSM-7.
func joins(r rune) bool {
	accent := r >= '\u0300' && r <= '\u036f'
	return r != 0 && !unicode.IsSpace(r) && septets(r) == 0 && !accent && r != joiner && !isSelector(r) && !isHalfFlag(r)
}

func isKeycap(before, after rune) bool {
	return strings.ContainsRune("0123456789#*", before) && after == keycap
}
