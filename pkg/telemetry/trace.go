package telemetry

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// traceparentLength is that of 00-{32 hex digits}-{16 hex digits}-{2 hex digits}.
const traceparentLength = 55

// EnsureTraceparent returns a W3C traceparent of version 00 (https://www.w3.org/TR/trace-context/): the given
// one if it is valid, else a new one with random ids and the sampled flag. Of a valid header of a later
// version the part that version 00 knows is kept, as the standard asks.
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

// fits tells whether a header of that version may go on with more after the flags: version 00 ends there,
// later ones continue with a hyphen, ff is no version.
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
	return "00-" + trace + "-" + parent + "-01"
}

// isID tells whether text is an id of that many hex digits: not all of them zero.
func isID(text string, digits int) bool {
	return isHex(text, digits) && strings.Trim(text, "0") != ""
}

func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == ""
}
