package pipeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Headers that a dead letter has beside those of the record it was.
const (
	headerDeadPrefix = "deadletter_"

	HeaderDeadReason    = headerDeadPrefix + "reason"
	HeaderDeadError     = headerDeadPrefix + "error"
	HeaderDeadRole      = headerDeadPrefix + "role"
	HeaderDeadTopic     = headerDeadPrefix + "topic"
	HeaderDeadPartition = headerDeadPrefix + "partition"
	HeaderDeadOffset    = headerDeadPrefix + "offset"
	HeaderDeadAt        = headerDeadPrefix + "at"
)

// maxCause is the most bytes of an error that a dead letter's header keeps.
const maxCause = 2 << 10

// deadLetter is r with its original key, bytes and headers, and why it was
// rejected. It keeps r's partition.
func deadLetter(topics Topics, role Role, r kafka.Record, fate Fate, at time.Time) kafka.Record {
	headers := make([]kafka.Header, 0, len(r.Headers)+7)
	for _, h := range r.Headers {
		if !strings.HasPrefix(h.Key, headerDeadPrefix) {
			headers = append(headers, h)
		}
	}
	cause := string(fate.Reason)
	if fate.Err != nil {
		cause = fate.Err.Error()
		cause = strings.ToValidUTF8(cause[:min(len(cause), maxCause)], "")
	}
	headers = append(headers,
		header(HeaderDeadReason, string(fate.Reason)),
		header(HeaderDeadError, cause),
		header(HeaderDeadRole, string(role)),
		header(HeaderDeadTopic, r.Topic),
		header(HeaderDeadPartition, strconv.Itoa(r.Partition)),
		header(HeaderDeadOffset, strconv.FormatInt(r.Offset, 10)),
		header(HeaderDeadAt, at.UTC().Format(time.RFC3339Nano)),
	)
	return kafka.Record{Topic: topics.DeadLetters(role), Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: headers}
}
