package bloomreach

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// classify returns what a response means for the whole request: nil if each command has its own result, a *refusal if the
// request must be halved, else an *Error. A refusal by something in front of Bloomreach is a *refusal, too.
func (c *Client) classify(a answer) error {
	parts := parseObject(a.body)
	if a.ok() && !isBlocked(a, parts) && string(parts["success"]) != "false" {
		return nil
	}
	messages := c.answerTexts(a, parts)
	class, message := classOf(messages)
	switch {
	case isRetryStatus(a.status):
		return c.newError(ClassRetry, a, messages[0])
	case class != "":
		return c.newError(class, a, message)
	case isBlocked(a, parts):
		return c.blocked(a, messages)
	case isRefusedStatus(a.status):
		return &refusal{messages: c.redactor.texts(messages), requestID: a.requestID}
	default:
		return c.newError(ClassConfig, a, messages[0])
	}
}

// isRetryStatus reports whether a retry may help. 429 and 500 are documented
// (https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices), the others are HTTP's.
func isRetryStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// isRefusedStatus reports whether the request was refused because of its body. A 2xx gets here only with "success": false,
// which is "similar to HTTP 400" (https://documentation.bloomreach.com/engagement/reference/add-event). 413 and 422 are not
// documented.
func isRefusedStatus(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return status >= 200 && status < 300
}

func (c *Client) newError(class Class, a answer, message string) *Error {
	return &Error{
		Class: class, Status: a.status, Message: c.redactor.text(message), RetryAfter: a.retryAfter, RequestID: a.requestID,
		check: settingOf(a.status, message),
	}
}

// answerTexts returns the error texts of a response; without any, the body; without a body, the status. It returns at least one
// text.
func (c *Client) answerTexts(a answer, parts map[string]json.RawMessage) []string {
	found := errorTexts(parts)
	for _, result := range parseList(parts["results"]) {
		found = append(found, errorTexts(parseObject(result))...)
	}
	if len(found) == 0 && parts == nil {
		found = appendText(found, string(a.body))
	}
	found = slices.DeleteFunc(found, func(text string) bool { return c.redactor.text(text) == "" })
	if len(found) == 0 {
		found = append(found, fmt.Sprintf("no reason given (status %d)", a.status))
	}
	return found
}
