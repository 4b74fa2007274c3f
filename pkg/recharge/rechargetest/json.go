package rechargetest

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Delivery is one webhook to deliver.
type Delivery struct {
	Topic  recharge.Topic
	Body   []byte
	Offset time.Duration // of its arrival, after the burst's begin
}

// fields is a JSON object.
type fields map[string]any

func encode(body fields) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		return []byte(err.Error()) // not JSON, so a test sees it at once
	}
	return text
}

// nothing returns null for an empty text.
func nothing(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
