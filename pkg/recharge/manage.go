package recharge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// maxAttempts limits how often a call is repeated: the last one is made half a minute after the first.
const maxAttempts = 6

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
		if !wait(ctx, max(pause, failed.RetryAfter)) {
			return err
		}
		pause *= 2
	}
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
	text, _ := errorText(answer)
	return &APIError{Status: status, Message: text, Duplicate: fieldText(answer, fieldDuplicate) != ""}
}

// fieldDuplicate is the field of the error with which Recharge refuses a second webhook of an address and topic
// (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/registry.js).
const fieldDuplicate = "duplicate"
