package telemetry

import (
	"strings"
	"unicode/utf8"
)

// MaskEmail makes an e-mail address fit for a log: the first letter and the domain stay, as in
// j***@example.com. A name of one letter and a text that is no address become ***; empty stays empty.
func MaskEmail(address string) string {
	if address == "" {
		return ""
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "***"
	}
	name, domain := address[:at], address[at:]
	_, first := utf8.DecodeRuneInString(name)
	if first == len(name) {
		return "***" + domain
	}
	return name[:first] + "***" + domain
}
