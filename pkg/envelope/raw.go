package envelope

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// maxAhead is how far a record's time of receipt may be ahead of this process's clock and of the record's Kafka timestamp. A time in
// the far future would outdate the state of its customer. The timestamp counts because this process's own clock may be slow.
const maxAhead = 24 * time.Hour

// IsTopicPart reports whether text may be one of the two parts of a Recharge topic: a letter, then up to 63 letters, digits and "_".
func IsTopicPart(text string) bool {
	if text == "" || len(text) > 64 || !isLower(text[0]) {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !isLower(c) && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// CheckRaw checks the key and the headers of a raw record, and returns its store and time of receipt, or an error that names what is
// missing or invalid. Only the gateway, the transformer, lookups and imports write raw records; one of anybody else, such as one
// produced by hand, may lack them.
func CheckRaw(raw kafka.Record, now time.Time) (store string, at time.Time, err error) {
	if store, err = Store(raw); err != nil {
		return "", at, err
	}
	if !strings.HasPrefix(string(raw.Key), store+"/") {
		return "", at, errors.New("key is missing or does not begin with the store")
	}
	if at, err = ReceivedAt(raw); err != nil {
		return "", at, err
	}
	if at.Sub(now) > maxAhead && at.Sub(raw.Time) > maxAhead {
		return "", at, fmt.Errorf("header %s is in the future: %s", HeaderReceivedAt, at.Format(time.RFC3339))
	}
	if topic := raw.Header(HeaderRechargeTopic); isWebhook(raw) && !isTopic(topic) {
		return "", at, HeaderError(HeaderRechargeTopic, topic)
	}
	return store, at, nil
}

func isTopic(topic string) bool {
	resource, action, _ := strings.Cut(topic, "/")
	return IsTopicPart(resource) && IsTopicPart(action)
}

// isWebhook reports whether a raw record is a webhook. Records of the other sources have no topic.
func isWebhook(raw kafka.Record) bool {
	switch raw.Header(HeaderSource) {
	case SourceLookup, SourceImport, SourceOwner, SourceMoved, SourceChargeOwner, SourceDeleted:
		return false
	}
	return true
}
