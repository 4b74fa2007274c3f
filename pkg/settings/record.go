package settings

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// records returns the current row of a key and the same row for the history. store is "" for a row that belongs to none.
func (s Settings) records(subject, store, key string, version int, at time.Time, row any) ([]kafka.Record, error) {
	value, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", subject, err)
	}
	id := historyKey(key, version)
	source := "/stores/" + store
	if store == "" {
		source = "/console"
	}
	current := kafka.Record{Topic: s.Name, Key: []byte(key), Value: value, Headers: []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(id)},
		{Key: "ce_type", Value: []byte("rechargeflow." + subject)},
		{Key: "ce_source", Value: []byte(source)},
		{Key: "ce_time", Value: []byte(at.Format(time.RFC3339Nano))},
		{Key: "ce_subject", Value: []byte(id[len(store)+1:])},
		{Key: "ce_dataschema", Value: []byte(schemas.URN(subject))},
		{Key: "content-type", Value: []byte("application/json")},
	}}
	if store != "" {
		current.Headers = append(current.Headers, kafka.Header{Key: "store", Value: []byte(store)})
	}
	history := current
	history.Key = []byte(id)
	return []kafka.Record{current, history}, nil
}
