package flow

import (
	"strings"
	"unicode/utf16"
)

// Encoding is the encoding of a text message. It limits the characters of one message.
type Encoding string

// The two encodings.
const (
	GSM7 Encoding = "gsm-7" // 160 characters in one message, 153 in each part of a longer one
	UCS2 Encoding = "ucs-2" // 70 UTF-16 units in one message, 67 in each part; used when any character is outside GSM-7
)

// The GSM 03.38 alphabets (https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding). Each character of gsmExtended
// takes two septets.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// Segments returns the encoding of a text and how many messages are billed for it, 0 for an empty text.
// A character of two units is never split over two parts.
func Segments(text string) (Encoding, int) {
	encoding, widths := GSM7, make([]int, 0, len(text))
	for _, r := range text {
		width := septets(r)
		if width == 0 {
			encoding = UCS2
			break
		}
		widths = append(widths, width)
	}
	if encoding == GSM7 {
		return GSM7, parts(widths, 160, 153)
	}
	widths = widths[:0]
	for _, r := range text {
		widths = append(widths, max(utf16.RuneLen(r), 1))
	}
	return UCS2, parts(widths, 70, 67)
}

// septets returns the size of a character in GSM-7, 0 when GSM-7 lacks it.
func septets(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtended, r):
		return 2
	default:
		return 0
	}
}

// parts counts the messages for characters of these widths.
func parts(widths []int, single, each int) int {
	total := 0
	for _, w := range widths {
		total += w
	}
	if total == 0 {
		return 0
	}
	if total <= single {
		return 1
	}
	count, used := 1, 0
	for _, w := range widths {
		if used+w > each {
			count, used = count+1, 0
		}
		used += w
	}
	return count
}
