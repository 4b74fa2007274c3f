package bloomreach

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// judge looks at an answer as a whole. It returns nil when its results are to be read, a *refusal when the request is
// to be halved, else an *Error.
func (c *Client) judge(a answer) error {
	parts := parseObject(a.body)
	messages := reasons(a, parts)
	switch {
	case a.status >= 200 && a.status < 300 && string(parts["success"]) != "false":
		return nil
	case retryStatus(a.status):
		return c.failure(ClassRetry, a, messages[0])
	case refusedStatus(a.status):
		if message, found := firstConfig(messages); found {
			return c.failure(ClassConfig, a, message)
		}
		return &refusal{messages: c.cleaner.texts(messages), requestID: a.requestID}
	default:
		return c.failure(ClassConfig, a, messages[0])
	}
}

// retryStatus: 429 and 500 are documented, the others mean the same everywhere
// (https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices).
func retryStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// refusedStatus: the fault is in the body. A 2xx comes here only with "success": false, which is "similar to HTTP 400"
// (https://documentation.bloomreach.com/engagement/reference/add-event). 413 and 422 are not documented.
func refusedStatus(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return status >= 200 && status < 300
}

// firstConfig finds a message about us rather than about the commands. The texts are from
// https://documentation.bloomreach.com/engagement/reference/tracking-api-authorization-errors and
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors; the case of their
// first letter differs from page to page.
func firstConfig(messages []string) (string, bool) {
	for _, message := range messages {
		lower := strings.ToLower(strings.TrimFunc(message, blank))
		for _, start := range []string{
			"could not authenticate", "invalid project id", "access key not", "invalid secret", "not authorized",
			"no permission",
		} {
			if strings.HasPrefix(lower, start) {
				return message, true
			}
		}
	}
	return "", false
}

func (c *Client) failure(class Class, a answer, message string) *Error {
	return &Error{
		Class: class, Status: a.status, Message: c.cleaner.text(message), RetryAfter: a.retryAfter, RequestID: a.requestID,
	}
}

// reasons returns at least one text: what the body says in any of its shapes, else the body itself, else the status.
func reasons(a answer, parts map[string]json.RawMessage) []string {
	found := errorTexts(parts)
	for _, result := range parseList(parts["results"]) {
		found = append(found, errorTexts(parseObject(result))...)
	}
	if len(found) == 0 && parts == nil {
		found = appendText(found, string(a.body))
	}
	if len(found) == 0 {
		found = append(found, fmt.Sprintf("no reason given (status %d)", a.status))
	}
	return found
}

// errorTexts collects the texts of all shapes in which errors come, as they are:
//
//	{"message":"No commands"}
//	{"error":"Could not authenticate"}
//	{"errors":["At least one id should be specified."]}
//	{"errors":{"_global":["Customer does not exist"]}} and {"errors":{"code":404,"description":"..."}}
func errorTexts(parts map[string]json.RawMessage) []string {
	var found []string
	for _, key := range []string{"message", "error", "errors"} {
		var value any
		if json.Unmarshal(parts[key], &value) == nil {
			found = collectTexts(found, value)
		}
	}
	return found
}
