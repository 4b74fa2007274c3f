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

	// HeaderRedriveOf names, as partition/offset, the dead letter that a record of a redrive topic is a copy of.
	HeaderRedriveOf = redrivePrefix + "of"
	// What Original keeps of a record's attempts.
	headerRedriveAttempts = redrivePrefix + "attempts"
	headerRedriveFirstAt  = redrivePrefix + "first_at"
)

// Place is where a record lies in a topic.
type Place struct {
	Partition int
	Offset    int64
}

// PlaceOf is where r lies.
func PlaceOf(r kafka.Record) Place { return Place{Partition: r.Partition, Offset: r.Offset} }

// String is partition/offset.
func (p Place) String() string { return fmt.Sprintf("%d/%d", p.Partition, p.Offset) }

// ParsePlace reads what String writes.
func ParsePlace(text string) (Place, error) {
	before, after, _ := strings.Cut(text, "/")
	partition, err := strconv.Atoi(before)
	offset, bad := strconv.ParseInt(after, 10, 64)
	if err != nil || bad != nil || partition < 0 || offset < 0 {
		return Place{}, fmt.Errorf("%q is not partition/offset, as in 3/17", text)
	}
	return Place{Partition: partition, Offset: offset}, nil
}

// Redrive is a dead letter, as it was read, on its way to the redrive topic of its role: a copy in the same partition that
// names it. The role finds in it what Read finds in the dead letter.
func Redrive(letter kafka.Record, topic string) kafka.Record {
	headers := make([]kafka.Header, 0, len(letter.Headers)+1)
	for _, h := range letter.Headers {
		if !strings.HasPrefix(h.Key, redrivePrefix) {
			headers = append(headers, h)
		}
	}
	headers = append(headers, kafka.Header{Key: HeaderRedriveOf, Value: []byte(PlaceOf(letter).String())})
	return kafka.Record{Topic: topic, Partition: letter.Partition, Key: letter.Key, Value: letter.Value, Headers: headers}
}

// Original is the record that a record of a redrive topic was at first, as a role is to take it. Of what was added it keeps
// HeaderRedriveOf, by which a role knows that an operator sent it, and in RedriveHeaders how often it was rejected: Read
// counts on from there.
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

// RedriveHeaders are the headers that Original added to a record: put to the same record, as it is read again, they make
// what Original returned. There are none where nobody sent it once more.
func RedriveHeaders(original kafka.Record) []kafka.Header {
	var ours []kafka.Header
	for _, h := range original.Headers {
		if strings.HasPrefix(h.Key, redrivePrefix) {
			ours = append(ours, h)
		}
	}
	return ours
}

// RedriveOf is which dead letter a record of a redrive topic is a copy of; ok is false for any other record.
func RedriveOf(r kafka.Record) (p Place, ok bool) {
	p, err := ParsePlace(r.Header(HeaderRedriveOf))
	return p, err == nil
}
