package lab

import (
	"encoding/json"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// Messages are the last changes of messages by their id, from the records of recharge.messages.
func Messages(records []kafka.Record) (map[string]message.Change, error) {
	last := map[string]message.Change{}
	for _, r := range records {
		var change message.Change
		if err := json.Unmarshal(r.Value, &change); err != nil {
			return nil, fmt.Errorf("decode message: %w", err)
		}
		last[change.ID] = change
	}
	return last, nil
}

// Statuses counts messages by status.
func Statuses(messages map[string]message.Change) map[message.Status]int {
	counts := map[message.Status]int{}
	for _, m := range messages {
		counts[m.Status]++
	}
	return counts
}
