package telemetry

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// traceparentLength is the length of 00-{32 hex digits}-{16 hex digits}-{2 hex digits}.
const traceparentLength = 55

// EnsureTraceparent returns a W3C traceparent of version 00 (https://www.w3.org/TR/trace-context/): the given
// one if it is valid, else a new one with random ids that is not sampled: nobody records its spans. Of a valid header of a later
// version only the part that version 00 defines is used, as the standard requires.
func EnsureTraceparent(header string) string {
	if len(header) < traceparentLength {
		return newTraceparent()
	}
	known, more := header[:traceparentLength], header[traceparentLength:]
	parts := strings.Split(known, "-")
	if len(parts) != 4 || !isID(parts[1], 32) || !isID(parts[2], 16) || !isHex(parts[3], 2) || !fits(parts[0], more) {
		return newTraceparent()
	}
	return "00" + known[2:]
}

// traceID returns the trace ID of a traceparent as EnsureTraceparent returns them, "" for another text.
func traceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) != 4 || !isID(parts[1], 32) {
		return ""
	}
	return parts[1]
}

// fits reports whether a header of that version may have this rest after the flags: version 00 has none, later ones continue
// with a hyphen, ff is not a version.
func fits(version, more string) bool {
	if !isHex(version, 2) || version == "ff" {
		return false
	}
	return more == "" || (version != "00" && more[0] == '-')
}

func newTraceparent() string {
	var ids [24]byte
	_, _ = rand.Read(ids[:]) // never fails, see crypto/rand
	trace, parent := hex.EncodeToString(ids[:16]), hex.EncodeToString(ids[16:])
	if !isID(trace, 32) || !isID(parent, 16) {
		return newTraceparent()
	}
	return "00-" + trace + "-" + parent + "-00"
}

// isID reports whether text is an id with this number of hex digits, not all of them zero.
func isID(text string, digits int) bool {
	return isHex(text, digits) && strings.Trim(text, "0") != ""
}

func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == ""
}
