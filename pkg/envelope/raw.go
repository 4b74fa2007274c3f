package envelope

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// maxAhead is how far a record's time of receipt may be ahead of this process's clock and of the record's Kafka timestamp. A time in
// the far future would outdate the state of its customer. The timestamp counts because this process's own clock may be slow.
const maxAhead = 24 * time.Hour

// TopicPart matches each of the two parts of a Recharge topic.
func TopicPart() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`) }

// RawChecker checks the key and the headers of raw records. Only the gateway, the transformer, lookups and imports write them; a record of anybody
// else, such as one produced by hand, may lack them.
type RawChecker struct{ part *regexp.Regexp }

// NewRawChecker returns a RawChecker.
func NewRawChecker() RawChecker { return RawChecker{part: TopicPart()} }

// Check returns the store and the time of receipt of a raw record, or an error that names what is missing or invalid.
func (c RawChecker) Check(raw kafka.Record, now time.Time) (store string, at time.Time, err error) {
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
	if topic := raw.Header(HeaderRechargeTopic); isWebhook(raw) && !c.isTopic(topic) {
		return "", at, HeaderError(HeaderRechargeTopic, topic)
	}
	return store, at, nil
}

func (c RawChecker) isTopic(topic string) bool {
	resource, action, _ := strings.Cut(topic, "/")
	return c.part.MatchString(resource) && c.part.MatchString(action)
}

// isWebhook reports whether a raw record is a webhook. Records of the other sources have no topic.
func isWebhook(raw kafka.Record) bool {
	switch raw.Header(HeaderSource) {
	case SourceLookup, SourceImport, SourceOwner, SourceMoved:
		return false
	}
	return true
}
