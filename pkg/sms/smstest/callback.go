package smstest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

// Callback is the body of a callback.
type Callback struct {
	Kind       string    `json:"kind"`
	Store      string    `json:"store"`
	ID         string    `json:"id,omitempty"`
	At         time.Time `json:"at"`
	Number     string    `json:"number,omitempty"`
	Text       string    `json:"text,omitempty"`
	MessageID  string    `json:"message_id,omitempty"`
	Status     string    `json:"status,omitempty"`
	ProviderID string    `json:"provider_id,omitempty"`
	Code       string    `json:"code,omitempty"`
	Detail     string    `json:"detail,omitempty"`
}

// Request returns the request for a callback, signed now.
func (c Callback) Request(secret string, now time.Time) *http.Request {
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // it has texts and a time only
	}
	return SignedRequest("/callbacks/"+c.Store+"/webhook", string(body), secret, now)
}

// SignedRequest returns a POST request for a server in this process, signed now.
func SignedRequest(path, body, secret string, now time.Time) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	timestamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set(webhook.TimestampHeader, timestamp)
	r.Header.Set(webhook.SignatureHeader, webhook.Sign(secret, timestamp, []byte(body)))
	return r
}
