package recharge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// maxAttempts limits how often a call is repeated: the last one is made half a minute after the first.
	maxAttempts = 6
	// conflictPause is the pause after a 409. Recharge documents none; a retry after 3 s worked
	// (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/helpers.js).
	conflictPause = 3 * time.Second
)

// manage makes a call about the token or the webhooks. It repeats one that may succeed later, and decodes the response.
func (c *Client) manage(ctx context.Context, method, path string, body, into any) error {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	pause := time.Second
	for attempt := 1; ; attempt++ {
		answer, err := c.call(ctx, method, path, encoded, managed)
		if err == nil {
			return decodeAnswer(answer, into)
		}
		var failed *APIError
		if attempt == maxAttempts || !errors.As(err, &failed) || !failed.Temporary() || ctx.Err() != nil {
			return err
		}
		if !wait(ctx, max(pause, failed.RetryAfter, afterConflict(failed.Status))) {
			return err
		}
		pause *= 2
	}
}

func afterConflict(status int) time.Duration {
	if status == http.StatusConflict {
		return conflictPause
	}
	return 0
}

// wait reports whether ctx lasted for a time.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Temporary reports whether the same call may succeed later: there was no response, a call to the same resource is in progress (409), the
// rate limit is reached (429), or Recharge has a fault.
func (e *APIError) Temporary() bool {
	switch e.Status {
	case 0, http.StatusOK, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return e.Status >= http.StatusInternalServerError
}

// Advice says what to do about an error that no repetition ends, "" for others.
func (e *APIError) Advice() string {
	switch e.Status {
	case http.StatusUnauthorized:
		return "Recharge does not know the API token: check recharge.token of the store, and that the token was not deleted or replaced at Recharge"
	case http.StatusForbidden:
		return "the API token lacks a scope: grant read access to customers, orders and subscriptions " + ScopesPlace
	case http.StatusPaymentRequired, http.StatusNotAcceptable:
		return "the plan or the permissions of the shop at Recharge do not allow this call: ask Recharge's support"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "check recharge.api_url of the store"
	case http.StatusUpgradeRequired:
		return "Recharge does not offer API version " + string(Version202111) + " to this token: ask Recharge's support"
	}
	return ""
}

// ScopesPlace says where the scopes of a token are set.
const ScopesPlace = "at Recharge under Tools & apps > API tokens"

// managed returns the error of a response to a call about the token or the webhooks.
func managed(status int, answer []byte) error {
	switch status {
	case http.StatusNoContent:
		return nil
	case http.StatusOK, http.StatusCreated, http.StatusAccepted:
		if !json.Valid(answer) { // the page of a proxy
			return &APIError{Status: status, Message: "answer is not JSON"}
		}
		return nil
	case http.StatusNotFound:
		return statusError(status, answer)
	case http.StatusTooManyRequests:
		return &APIError{Status: status, Message: "rate limit reached"}
	}
	message, fields := fieldTexts(answer)
	return &APIError{Status: status, Message: message, Duplicate: slices.Contains(fields, fieldDuplicate)}
}

// fieldDuplicate is the field of the error with which Recharge refuses a second webhook of an address and topic
// (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/registry.js).
const fieldDuplicate = "duplicate"

// fieldTexts returns the error text of a response, and the names of its fields where it has fields: {"errors":{"topic":"..."}} or
// {"errors":{"topic":["...","..."]}}.
func fieldTexts(answer []byte) (message string, fields []string) {
	var shape struct {
		Errors map[string]any `json:"errors"`
	}
	if json.Unmarshal(answer, &shape) != nil || len(shape.Errors) == 0 {
		message, _ = errorText(answer)
		return message, nil
	}
	fields = slices.Sorted(maps.Keys(shape.Errors))
	var shown []string
	for _, name := range fields {
		shown = append(shown, name+": "+redactText(withoutAddresses(joinTexts(shape.Errors[name]))))
	}
	return strings.Join(shown, "; "), fields
}

func joinTexts(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		var texts []string
		for _, each := range v {
			texts = append(texts, joinTexts(each))
		}
		return strings.Join(texts, ", ")
	}
	return "invalid"
}

// withoutAddresses masks the words that may be an address: it ends with a token.
func withoutAddresses(message string) string {
	words := strings.Fields(message)
	for i, word := range words {
		if strings.Contains(word, "/") && len(word) > maxTopicLength {
			words[i] = "***"
		}
	}
	return strings.Join(words, " ")
}

// maxTopicLength is above that of any topic, and below that of any address.
const maxTopicLength = 45
