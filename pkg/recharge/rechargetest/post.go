package rechargetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// ShopDomain is the shop in the sent webhooks.
const ShopDomain = "acme-example.myshopify.com"

// NewRequest returns the request of a delivery as Recharge posts it: with both signatures, signed at the given time, and with
// the headers that were observed (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge). It is not documented
// whether a retry is signed again.
func NewRequest(ctx context.Context, address, secret string, at time.Time, d Delivery) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(d.Body))
	if err != nil {
		return nil, fmt.Errorf("build webhook: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(recharge.HeaderTopic, string(d.Topic))
	request.Header.Set(recharge.HeaderDomain, ShopDomain)
	Sign(request.Header, d.Body, secret, at)
	return request, nil
}

// Post sends a delivery and returns the response status. It times out after AnswerLimit, as Recharge does. An error means that
// there was no response, which is status 0 for [Outbox.Answered].
func Post(ctx context.Context, client *http.Client, address, secret string, at time.Time, d Delivery) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerLimit)
	defer cancel()
	request, err := NewRequest(ctx, address, secret, at, d)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("send webhook %s: %w", d.Topic, err)
	}
	defer func() { _ = response.Body.Close() }() // nothing is left to do with it
	_, _ = io.Copy(io.Discard, response.Body)    // so that the connection is used again
	return response.StatusCode, nil
}
