package deadletter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	redrivePrefix = "redrive_"

	// HeaderRedriveOf is the position (partition/offset) of the dead letter that a record of a redrive topic copies.
	HeaderRedriveOf = redrivePrefix + "of"
	// The attempts of a record that Original returns.
	headerRedriveAttempts = redrivePrefix + "attempts"
	headerRedriveFirstAt  = redrivePrefix + "first_at"
)

// Position is the position of a record in its topic.
type Position struct {
	Partition int
	Offset    int64
}

// PositionOf returns the position of r.
func PositionOf(r kafka.Record) Position { return Position{Partition: r.Partition, Offset: r.Offset} }

// String returns partition/offset.
func (p Position) String() string { return fmt.Sprintf("%d/%d", p.Partition, p.Offset) }

// ParsePosition parses the form that String returns.
func ParsePosition(text string) (Position, error) {
	before, after, _ := strings.Cut(text, "/")
	partition, err := strconv.Atoi(before)
	offset, bad := strconv.ParseInt(after, 10, 64)
	if err != nil || bad != nil || partition < 0 || offset < 0 {
		return Position{}, fmt.Errorf("%q is not partition/offset, as in 3/17", text)
	}
	return Position{Partition: partition, Offset: offset}, nil
}

// Redrive returns a copy of a dead letter for the redrive topic of its role: same partition, with the position of the letter.
// Read returns the same for both.
func Redrive(letter kafka.Record, topic string) kafka.Record {
	headers := make([]kafka.Header, 0, len(letter.Headers)+1)
	for _, h := range letter.Headers {
		if !strings.HasPrefix(h.Key, redrivePrefix) {
			headers = append(headers, h)
		}
	}
	headers = append(headers, kafka.Header{Key: HeaderRedriveOf, Value: []byte(PositionOf(letter).String())})
	return kafka.Record{Topic: topic, Partition: letter.Partition, Key: letter.Key, Value: letter.Value, Headers: headers}
}

// Original returns the original record of a record of a redrive topic, for the role to process. Of the added headers it keeps
// HeaderRedriveOf, which marks an operator's redrive, and the attempts, so that Read continues the count.
func Original(redriven kafka.Record) kafka.Record {
	letter := Read(redriven)
	original := letter.Record
	of, ok := RedriveOf(redriven)
	if !ok {
		return original
	}
	if letter.Attempts > 0 {
		original.Headers = append(original.Headers,
			kafka.Header{Key: headerRedriveAttempts, Value: []byte(strconv.Itoa(letter.Attempts))},
			kafka.Header{Key: headerRedriveFirstAt, Value: []byte(letter.First.Format(time.RFC3339Nano))},
		)
	}
	original.Headers = append(original.Headers, kafka.Header{Key: HeaderRedriveOf, Value: []byte(of.String())})
	return original
}

// RedriveHeaders returns the headers that Original added to a redriven record, none for another record. The record, read again from
// its topic, together with these headers is what Original returned.
func RedriveHeaders(original kafka.Record) []kafka.Header {
	var ours []kafka.Header
	for _, h := range original.Headers {
		if strings.HasPrefix(h.Key, redrivePrefix) {
			ours = append(ours, h)
		}
	}
	return ours
}

// RedriveOf returns the position of the dead letter that a record of a redrive topic copies; ok is false for other records.
func RedriveOf(r kafka.Record) (p Position, ok bool) {
	p, err := ParsePosition(r.Header(HeaderRedriveOf))
	return p, err == nil
}
