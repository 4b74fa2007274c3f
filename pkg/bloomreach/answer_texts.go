package bloomreach

import (
	"net/http"
	"strings"
	"unicode"
)

// What to check, by what is refused. The names are those of the configuration.
const (
	checkURL         = "bloomreach.url"
	checkProject     = "bloomreach.project"
	checkKey         = "bloomreach.key_id and bloomreach.secret, or bloomreach.token"
	checkPermissions = "the permissions of the API key in Bloomreach: Events > Set for the event type, Customer properties > Set"
	checkUsage       = "the usage limits of the Bloomreach project"
	checkAll         = "bloomreach.url, bloomreach.project, the API key and its permissions"
)

// knownText is the start of an error text that is not about the command for which it comes.
type knownText struct {
	start string
	class Class
	check string
}

// knownTexts are from https://documentation.bloomreach.com/engagement/reference/tracking-api-authorization-errors,
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors,
// https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices and
// https://documentation.bloomreach.com/engagement/reference/tracking-api-overview-2; the case of their first letter varies between these
// pages. The texts about quotas and limits, and those of a project in general, are not documented.
func knownTexts() []knownText {
	return []knownText{
		{"could not authenticate", ClassConfig, checkProject},
		{"invalid project id", ClassConfig, checkProject},
		{"project ", ClassConfig, checkProject},
		{"access key not", ClassConfig, checkKey},
		{"invalid secret", ClassConfig, checkKey},
		{"not authorized", ClassConfig, checkPermissions},
		{"no permission", ClassConfig, checkPermissions},
		{"missing permission", ClassConfig, checkPermissions},
		{"quota", ClassConfig, checkUsage},
		{"api is unavailable", ClassRetry, ""},
		{"too many requests", ClassRetry, ""},
		{"rate limit", ClassRetry, ""},
	}
}

// findKnown finds the known text with which a message begins. A text that is elsewhere in a message may be the customer's.
func findKnown(message string) (knownText, bool) {
	lower := strings.ToLower(strings.TrimFunc(message, unicode.IsSpace))
	for _, known := range knownTexts() {
		if strings.HasPrefix(lower, known.start) {
			return known, true
		}
	}
	return knownText{}, false
}

// classOf returns the class of the first message that is not about a command, and this message; "" if all are.
func classOf(messages []string) (Class, string) {
	for _, message := range messages {
		if known, found := findKnown(message); found {
			return known.class, message
		}
	}
	return "", ""
}

// settingOf returns what to check after an answer of [ClassConfig].
func settingOf(status int, message string) string {
	if known, found := findKnown(message); found {
		return known.check
	}
	switch status {
	case http.StatusUnauthorized:
		return checkKey
	case http.StatusPaymentRequired:
		return checkUsage
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return checkURL
	}
	return checkAll
}
