package smsclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// PostJSON returns the request that posts a body as JSON.
func PostJSON(ctx context.Context, address string, body any) (*http.Request, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}
