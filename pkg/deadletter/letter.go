package deadletter

import (
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Headers that a dead letter has beside those of the record it was. Times are RFC 3339, UTC.
const (
	prefix = "deadletter_"

	HeaderReason    = prefix + "reason"    // of the last attempt, from the pipeline's closed list
	HeaderError     = prefix + "error"     // of the last attempt, at most 2 KiB
	HeaderRole      = prefix + "role"      // who could not work on it
	HeaderTopic     = prefix + "topic"     // where the record lay first, whichever attempt this was
	HeaderPartition = prefix + "partition" // likewise
	HeaderOffset    = prefix + "offset"    // likewise
	HeaderTime      = prefix + "time"      // the record's own time, likewise
	HeaderAttempts  = prefix + "attempts"  // how often the role rejected it, 1 for the first time
	HeaderFirstAt   = prefix + "first_at"  // when it did so first
	HeaderAt        = prefix + "at"        // when it did so last
)

// maxCause is the most bytes of an error that a letter keeps.
const maxCause = 2 << 10

// Letter is a record and what is known of attempts to work on it.
type Letter struct {
	// Record is the record as it was before the first attempt: key, bytes and headers, and the topic, partition, offset
	// and time that it had.
	Record kafka.Record
	Role   string
	Reason string
	Error  string
	// Attempts is how often the role rejected the record; 0 for a record that is no dead letter.
	Attempts int
	// First and Last are when it did so.
	First, Last time.Time
}

// Read reads a dead letter, or one that was sent to its role once more, or what Original makes of it. Any other record is a letter without attempts; so
// is one whose headers don't say where the record lay, or name a partition other than its own: somebody wrote it by hand.
// Letters of versions that did not count have one attempt.
func Read(r kafka.Record) Letter {
	l := Letter{Record: r, Role: r.Header(HeaderRole), Reason: r.Header(HeaderReason), Error: r.Header(HeaderError)}
	l.Record.Headers = withoutOurs(r.Headers)
	partition, err := strconv.Atoi(r.Header(HeaderPartition))
	offset, badOffset := strconv.ParseInt(r.Header(HeaderOffset), 10, 64)
	if err != nil || badOffset != nil || partition != r.Partition || r.Header(HeaderTopic) == "" {
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

// counted is a letter with what Original kept of its attempts.
func (l Letter) counted(original kafka.Record) Letter {
	if n, err := strconv.Atoi(original.Header(headerRedriveAttempts)); err == nil && n > 0 {
		l.Attempts, l.First = n, readTime(original, headerRedriveFirstAt, time.Time{})
	}
	return l
}

// Rejected is the letter after one more attempt that failed at that time.
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

// To is the letter as a record for a dead-letter topic, in the partition of the record it was. Its time is when it is
// written: retention must not count from the record's own.
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
	return kafka.Record{Topic: topic, Partition: l.Record.Partition, Key: l.Record.Key, Value: l.Record.Value, Headers: headers}
}

// withoutOurs are the headers that the record had at first.
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
