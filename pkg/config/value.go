package config

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// parse parses a value as written in the environment. The value is a string, []string, bool, int, float64, time.Duration or
// Size, depending on k.Kind. ok is false if it does not have the form that k.Expected describes.
func (k Key) parse(text string) (value any, ok bool) {
	switch k.Kind {
	case KindList:
		return k.parseList(splitList(text))
	case KindBool:
		return text == "true", text == "true" || text == "false"
	case KindInteger:
		return bounded(k, text, strconv.Atoi)
	case KindNumber:
		return bounded(k, text, parseNumber)
	case KindDuration:
		return bounded(k, text, time.ParseDuration)
	case KindSize:
		return bounded(k, text, ParseSize)
	default:
		return text, k.allows(text)
	}
}

// parseList checks each element.
func (k Key) parseList(elements []string) (value any, ok bool) {
	for _, e := range elements {
		if e == "" || !k.allows(e) {
			return nil, false
		}
	}
	return elements, true
}

// splitList splits at commas; white space alone gives no element.
func splitList(text string) []string {
	if strings.TrimSpace(text) == "" {
		return []string{}
	}
	elements := strings.Split(text, ",")
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
	}
	return elements
}

func parseNumber(text string) (float64, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err == nil && math.IsNaN(number) {
		err = strconv.ErrSyntax
	}
	return number, err
}

func bounded[T cmp.Ordered](k Key, text string, read func(string) (T, error)) (any, bool) {
	v, err := read(text)
	if err != nil {
		return v, false
	}
	if least, err := read(k.Min); err == nil && v < least {
		return v, false
	}
	if most, err := read(k.Max); err == nil && v > most {
		return v, false
	}
	return v, true
}

// allows reports whether a text has the form of the key. A key without a default may be empty.
func (k Key) allows(text string) bool {
	switch {
	case strings.TrimSpace(text) != text || strings.ContainsFunc(text, unicode.IsControl):
		return false
	case text == "" && k.Kind == KindText:
		return k.Default == ""
	case k.OneOf != nil:
		return slices.Contains(k.OneOf, text)
	case k.check != "":
		return forms()[k.check].fits(text)
	default:
		return true
	}
}

// Expected describes the form of a value.
func (k Key) Expected() string {
	switch k.Kind {
	case KindList:
		return "a list, each element " + k.expectedText()
	case KindBool:
		return "true or false"
	case KindInteger:
		return "a whole number" + k.bounds()
	case KindNumber:
		return "a number" + k.bounds()
	case KindDuration:
		return "a duration with its unit, such as 500ms, 3s or 10m," + k.bounds()
	case KindSize:
		return "bytes, KiB or MiB, such as 512KiB," + k.bounds()
	default:
		return k.expectedText()
	}
}

func (k Key) expectedText() string {
	switch {
	case k.OneOf != nil && k.OneOf[0] == "":
		return "empty or one of " + strings.Join(k.OneOf[1:], ", ")
	case k.OneOf != nil:
		return "one of " + strings.Join(k.OneOf, ", ")
	case k.check != "":
		return forms()[k.check].expected
	case k.Kind == KindText && k.Default == "":
		return "a text on one line, without white space around it"
	default:
		return "a text on one line, not empty, without white space around it"
	}
}

func (k Key) bounds() string {
	switch {
	case k.Max != "":
		return fmt.Sprintf(" from %s to %s", k.Min, k.Max)
	default:
		return fmt.Sprintf(" at least %s", k.Min)
	}
}

// shown quotes a value for a fault. It masks secrets, and texts with an @, which may contain a password or an e-mail address.
func (k Key) shown(text string) string {
	if k.Secret || strings.Contains(text, "@") {
		return "a value that is not shown"
	}
	return quoted(text)
}

// form is a required form of a text.
type form struct {
	expected string
	fits     func(text string) bool
}

// forms returns the values of the tag check.
func forms() map[string]form {
	return map[string]form{
		"address":   {"host:port", func(s string) bool { return isAddress(s, false) }},
		"listen":    {"host:port or :port", func(s string) bool { return isAddress(s, true) }},
		"loopback":  {"a loopback address, such as 127.0.0.1:9092", isLoopback},
		"network":   {"an IP address, or a network such as 10.0.0.0/8", isNetwork},
		"domain":    {"a domain such as example.com", regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`).MatchString},
		"prefix":    {"at most 100 of a-z, 0-9, dot, underscore and hyphen", regexp.MustCompile(`^[a-z0-9._-]{1,100}$`).MatchString},
		"name":      {"1 to 40 of a-z, 0-9 and hyphen", regexp.MustCompile(`^[a-z0-9-]{1,40}$`).MatchString},
		"currency":  {"a currency as three capital letters, such as USD", regexp.MustCompile(`^[A-Z]{3}$`).MatchString},
		"region":    {"a country as two capital letters, such as US", regexp.MustCompile(`^[A-Z]{2}$`).MatchString},
		"zone":      {"a time zone of the IANA database, such as Europe/Berlin", isZone},
		"url":       {"an http or https URL without user, query or fragment", isBaseURL},
		"hook":      {"an http or https URL without user or fragment", isURL},
		"extension": {"name=value, the name in letters and not auth", isExtension},
		"header":    {"name=value, as in an HTTP header", isHeader},
		"sid":       {"two letters and 32 hex digits, such as AC0123456789abcdef0123456789abcdef", regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}$`).MatchString},
		"key32":     {"the base64 of 32 bytes", isKey32},
		"template":  {"an http or https URL without user; the only placeholders are {shop} and {hash}", isTemplate},
	}
}

func isKey32(text string) bool {
	key, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(key) == 32
}

func isZone(text string) bool {
	_, err := time.LoadLocation(text)
	return err == nil && text != "Local"
}

func isAddress(text string, anyHost bool) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || (host == "" && !anyHost) || strings.ContainsAny(host, " /@") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isLoopback(text string) bool {
	host, _, err := net.SplitHostPort(text)
	if err != nil || !isAddress(text, false) {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

func isNetwork(text string) bool {
	_, addressErr := netip.ParseAddr(text)
	_, networkErr := netip.ParsePrefix(text)
	return addressErr == nil || networkErr == nil
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

func isBaseURL(text string) bool { return isURL(text) && !strings.Contains(text, "?") }

func isTemplate(text string) bool {
	filled := strings.NewReplacer("{shop}", "shop", "{hash}", "hash").Replace(text)
	return isURL(filled) && !strings.ContainsAny(filled, "{}")
}

// isExtension reports an extension of OAUTHBEARER, https://www.rfc-editor.org/rfc/rfc7628#section-3.1.
func isExtension(s string) bool {
	name, _, _ := strings.Cut(s, "=")
	return regexp.MustCompile(`^[A-Za-z]+=[ -~]+$`).MatchString(s) && !strings.EqualFold(name, "auth")
}

// isHeader reports an HTTP header, https://www.rfc-editor.org/rfc/rfc9110#name-fields. No value begins with a space.
func isHeader(s string) bool {
	return regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+=[!-~][ -~]*$").MatchString(s)
}
