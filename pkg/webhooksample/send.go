package webhooksample

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Request returns the request that posts the webhook to an address, with both of Recharge's signatures, made with an API client secret.
func (s Sample) Request(ctx context.Context, address, secret string) (*http.Request, error) {
	body, err := s.Body()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build webhook: %w", err)
	}
	seconds := strconv.FormatInt(s.At.Unix(), 10)
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set(recharge.HeaderTopic, string(s.Topic))
	h.Set(recharge.HeaderTimestamp, seconds)
	h.Set(recharge.HeaderSignature, "t="+seconds+",v1="+hex.EncodeToString(recharge.SignTimestamped(seconds, body, secret)))
	h.Set(recharge.HeaderLegacySignature, hex.EncodeToString(recharge.SignLegacy(body, secret)))
	return request, nil
}
