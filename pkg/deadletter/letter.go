package deadletter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Headers that a dead letter adds to those of the record. Times are RFC 3339, UTC.
const (
	prefix = "deadletter_"

	HeaderReason    = prefix + "reason" // of the last attempt, from the pipeline's closed list
	HeaderError     = prefix + "error"  // of the last attempt, at most 2 KiB
	HeaderRole      = prefix + "role"   // which rejected it
	HeaderTopic     = prefix + "topic"  // where the record was at its first attempt
	HeaderPartition = prefix + "partition"
	HeaderOffset    = prefix + "offset"
	HeaderTime      = prefix + "time"     // the record's own time
	HeaderAttempts  = prefix + "attempts" // how often the role rejected it, at least 1
	HeaderFirstAt   = prefix + "first_at" // when the role rejected it first
	HeaderAt        = prefix + "at"       // when the role rejected it last
	HeaderOmitted   = prefix + "omitted"  // what was left out because the letter would be too large; the original has it
)

// maxCause limits the bytes of an error in a dead letter.
const maxCause = 2 << 10

// MaxRecordBytes is the size of the largest record that fits into a dead letter, with its added headers.
const MaxRecordBytes = kafka.MaxRecordBytes - 16<<10

// CheckSize returns an error for a record that would not fit as a dead letter.
func CheckSize(r kafka.Record) error {
	if size := r.Size(); size > MaxRecordBytes {
		return fmt.Errorf("output record for %s has %d bytes, at most %d are allowed", r.Topic, size, MaxRecordBytes)
	}
	return nil
}

// Letter is a record and its failed attempts.
type Letter struct {
	// Record is the record as it was before the first attempt: key, value, headers, topic, partition, offset and time.
	Record kafka.Record
	Role   string
	Reason string
	Error  string
	// Attempts is how often the role rejected the record; 0 for a record that is not a dead letter.
	Attempts int
	// First and Last are the times of the first and the last rejection.
	First, Last time.Time
}

// Read reads a dead letter, its copy in a redrive topic, or the record that Original returns. Any other record is a letter
// without attempts. So is a record whose headers lack the original position, or name another partition: it was written by hand.
// Without a count it has one attempt.
func Read(r kafka.Record) Letter {
	l := Letter{Record: r, Role: r.Header(HeaderRole), Reason: r.Header(HeaderReason), Error: r.Header(HeaderError)}
	l.Record.Headers = withoutOurs(r.Headers)
	partition, err := strconv.Atoi(r.Header(HeaderPartition))
	offset, badOffset := strconv.ParseInt(r.Header(HeaderOffset), 10, 64)
	if err != nil || badOffset != nil || offset < 0 || partition != r.Partition || r.Header(HeaderTopic) == "" {
		return l.counted(r)
	}
	l.Record.Topic, l.Record.Offset = r.Header(HeaderTopic), offset
	l.Record.Time = readTime(r, HeaderTime, r.Time)
	l.Last = readTime(r, HeaderAt, r.Time)
	l.First = readTime(r, HeaderFirstAt, l.Last)
	l.Attempts = 1
	if n, err := strconv.Atoi(r.Header(HeaderAttempts)); err == nil && n > 0 {
		l.Attempts = n
	}
	return l
}

// counted adds the attempts stored by Original.
func (l Letter) counted(original kafka.Record) Letter {
	if n, err := strconv.Atoi(original.Header(headerRedriveAttempts)); err == nil && n > 0 {
		l.Attempts, l.First = n, readTime(original, headerRedriveFirstAt, time.Time{})
	}
	return l
}

// Rejected returns the letter with one more failed attempt.
func (l Letter) Rejected(role, reason, cause string, at time.Time) Letter {
	l.Role, l.Reason = role, reason
	l.Error = strings.ToValidUTF8(cause[:min(len(cause), maxCause)], "")
	l.Attempts++
	l.Last = at.UTC()
	if l.First.IsZero() {
		l.First = l.Last
	}
	return l
}

// To returns the letter as a record for a dead-letter topic, in the partition of the original record. Its timestamp is the time
// of writing, so that retention does not count from that of the original record.
func (l Letter) To(topic string) kafka.Record {
	headers := make([]kafka.Header, 0, len(l.Record.Headers)+10)
	headers = append(headers, l.Record.Headers...)
	for _, h := range [...][2]string{
		{HeaderReason, l.Reason},
		{HeaderError, l.Error},
		{HeaderRole, l.Role},
		{HeaderTopic, l.Record.Topic},
		{HeaderPartition, strconv.Itoa(l.Record.Partition)},
		{HeaderOffset, strconv.FormatInt(l.Record.Offset, 10)},
		{HeaderTime, l.Record.Time.UTC().Format(time.RFC3339Nano)},
		{HeaderAttempts, strconv.Itoa(l.Attempts)},
		{HeaderFirstAt, l.First.Format(time.RFC3339Nano)},
		{HeaderAt, l.Last.Format(time.RFC3339Nano)},
	} {
		headers = append(headers, kafka.Header{Key: h[0], Value: []byte(h[1])})
	}
	return fitted(kafka.Record{
		Topic: topic, Partition: l.Record.Partition, Key: l.Record.Key, Value: l.Record.Value, Headers: headers,
	}, len(l.Record.Headers))
}

// fitted leaves out of a letter what makes it too large for Kafka: its value, then the original headers, then the key. Only a
// record of another producer can be that large.
func fitted(letter kafka.Record, original int) kafka.Record {
	var omitted []string
	limit := kafka.MaxRecordBytes
	for _, part := range []struct {
		name string
		omit func()
	}{
		{"value", func() { letter.Value = nil }},
		{"headers", func() { letter.Headers = letter.Headers[original:] }},
		{"key", func() { letter.Key = nil }},
	} {
		if letter.Size() <= limit {
			break
		}
		part.omit()
		limit = kafka.MaxRecordBytes - 1<<10 // room for the header below
		omitted = append(omitted, part.name)
	}
	if len(omitted) > 0 {
		letter.Headers = append(letter.Headers, kafka.Header{Key: HeaderOmitted, Value: []byte(strings.Join(omitted, ", "))})
	}
	return letter
}

// withoutOurs returns the original headers, without the added ones.
func withoutOurs(headers []kafka.Header) []kafka.Header {
	kept := make([]kafka.Header, 0, len(headers))
	for _, h := range headers {
		if !strings.HasPrefix(h.Key, prefix) && !strings.HasPrefix(h.Key, redrivePrefix) {
			kept = append(kept, h)
		}
	}
	return kept
}

func readTime(r kafka.Record, header string, otherwise time.Time) time.Time {
	at, err := time.Parse(time.RFC3339Nano, r.Header(header))
	if err != nil {
		return otherwise
	}
	return at.UTC()
}
