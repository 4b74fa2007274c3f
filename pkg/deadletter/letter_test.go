package deadletter_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	letters = "recharge.deadletter.tracking"
	again   = "recharge.redrive.tracking"
)

func at(minute int) time.Time { return time.Date(2026, 3, 1, 10, minute, 0, 123000000, time.UTC) }

// original has a value that is not text, a header twice, and one whose name begins like an added one.
func original() kafka.Record {
	return kafka.Record{
		Topic: "recharge.events", Partition: 3, Offset: 17, Key: []byte("acme/1"), Value: []byte{0, 0xff, '\n'}, Time: at(0),
		Headers: []kafka.Header{
			{Key: "store", Value: []byte("acme")}, {Key: "x", Value: []byte("1")}, {Key: "x", Value: nil}, {Key: "redriver", Value: []byte("y")},
		},
	}
}

// stored returns a produced record as it is read.
func stored(r kafka.Record, offset int64, written time.Time) kafka.Record {
	r.Offset, r.Time = offset, written
	return r
}

// A record that is rejected and sent again several times is unchanged and in the same partition, and each attempt is counted.
func TestARecordIsUnchanged(t *testing.T) {
	first := deadletter.Read(original())
	assert.Equal(t, deadletter.Letter{Record: original()}, first, "a record that was never rejected")

	letter := stored(first.Rejected("tracking", "refused", "says no", at(1)).To(letters), 5, at(1))
	for attempt := 2; attempt < 5; attempt++ {
		assert.Equal(t, letters, letter.Topic)
		redriven := stored(deadletter.Redrive(letter, again), 9, at(10*attempt))
		assert.Equal(t, again, redriven.Topic)
		assert.Equal(t, 3, redriven.Partition)
		of, ok := deadletter.RedriveOf(redriven)
		assert.True(t, ok)
		assert.Equal(t, deadletter.PositionOf(letter), of)

		read := deadletter.Read(redriven)
		assert.Equal(t, original(), read.Record)
		taken := deadletter.Original(redriven)
		of, ok = deadletter.RedriveOf(taken)
		assert.True(t, ok)
		assert.Equal(t, deadletter.PositionOf(letter), of)
		assert.Equal(t, attempt-1, read.Attempts)
		kept := original()
		kept.Headers = append(kept.Headers, deadletter.RedriveHeaders(taken)...)
		assert.Equal(t, taken, kept, "nothing else was added")
		assert.Equal(t, deadletter.Letter{Record: original(), Attempts: attempt - 1, First: at(1)}, deadletter.Read(kept))
		letter = stored(read.Rejected("tracking", "panic", "died", at(10*attempt+1)).To(letters), int64(5+attempt), at(10*attempt+1))
		assert.Equal(t, 3, letter.Partition)
		assert.Equal(t, deadletter.Letter{
			Record: original(), Role: "tracking", Reason: "panic", Error: "died", Attempts: attempt, First: at(1), Last: at(10*attempt + 1),
		}, deadletter.Read(letter))
		_, ok = deadletter.RedriveOf(letter)
		assert.False(t, ok, "the new letter has not been sent again")
	}
}

// A letter without a count has one attempt, at its time.
func TestLettersWithoutACount(t *testing.T) {
	letter := stored(deadletter.Read(original()).Rejected("tracking", "refused", "no", at(1)).To(letters), 5, at(2))
	kept := letter.Headers[:0]
	for _, h := range letter.Headers {
		if h.Key != deadletter.HeaderAttempts && h.Key != deadletter.HeaderFirstAt && h.Key != deadletter.HeaderTime {
			kept = append(kept, h)
		}
	}
	letter.Headers = kept
	read := deadletter.Read(letter)
	assert.Equal(t, 1, read.Attempts)
	assert.Equal(t, at(1), read.First)
	assert.Equal(t, at(2), read.Record.Time, "the best that is known")
}

// A letter written by hand is read as a record without attempts, and does not stop its partition.
func TestLettersWrittenByHand(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"no position":       {deadletter.HeaderTopic: ""},
		"another partition": {deadletter.HeaderPartition: "4"},
		"no partition":      {deadletter.HeaderPartition: "x"},
		"no offset":         {deadletter.HeaderOffset: ""},
	} {
		t.Run(name, func(t *testing.T) {
			letter := stored(deadletter.Read(original()).Rejected("tracking", "refused", "no", at(1)).To(again), 5, at(2))
			for i, h := range letter.Headers {
				if value, ok := change[h.Key]; ok {
					letter.Headers[i].Value = []byte(value)
				}
			}
			read := deadletter.Read(letter)
			want := original()
			want.Topic, want.Offset, want.Time = again, 5, at(2)
			assert.Equal(t, want, read.Record)
			assert.Zero(t, read.Attempts)
		})
	}
}

// The cause is cut between characters, so that the header is valid UTF-8.
func TestALongCauseIsCut(t *testing.T) {
	letter := deadletter.Read(original()).Rejected("sms", "refused", "x"+strings.Repeat("ä", 1<<20), at(1))
	assert.LessOrEqual(t, len(letter.Error), 2<<10)
	assert.True(t, utf8.ValidString(letter.Error))
}

func TestPositions(t *testing.T) {
	p, err := deadletter.ParsePosition("3/17")
	require.NoError(t, err)
	assert.Equal(t, deadletter.Position{Partition: 3, Offset: 17}, p)
	assert.Equal(t, "3/17", p.String())
	for _, bad := range []string{"", "3", "3/", "/17", "-1/2", "1/-2", "3/17/1", "a/b"} {
		_, err := deadletter.ParsePosition(bad)
		require.ErrorContains(t, err, "is not partition/offset", bad)
	}
}

// A record of another producer may be too large for a dead letter: parts are left out, and a header says which. The original's
// position is always there.
func TestLetterOfALargeRecord(t *testing.T) {
	large := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	tests := map[string]struct {
		record  kafka.Record
		omitted string
	}{
		"fits":          {kafka.Record{Value: large(deadletter.MaxRecordBytes - 100)}, ""},
		"value":         {kafka.Record{Key: []byte("k"), Value: large(1 << 20)}, "value"},
		"barely":        {kafka.Record{Key: []byte("k"), Value: large(kafka.MaxRecordBytes)}, "value"},
		"headers":       {kafka.Record{Value: []byte("v"), Headers: []kafka.Header{{Key: "h", Value: large(1 << 20)}}}, "value, headers"},
		"headers' keys": {kafka.Record{Value: []byte("v"), Headers: []kafka.Header{{Key: string(large(1 << 20))}}}, "value, headers"},
		"key":           {kafka.Record{Key: large(1 << 20)}, "value, headers, key"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.record.Topic, test.record.Partition, test.record.Offset = "recharge.webhooks", 3, 17
			letter := deadletter.Read(test.record).Rejected("transformer", "malformed", strings.Repeat("e", 1<<20), time.Unix(0, 0)).To("dead")
			assert.LessOrEqual(t, letter.Size(), kafka.MaxRecordBytes)
			assert.Equal(t, test.omitted, letter.Header(deadletter.HeaderOmitted))
			if test.omitted == "" {
				assert.Equal(t, test.record.Value, letter.Value)
			}
			read := deadletter.Read(letter)
			assert.Equal(t, "recharge.webhooks", letter.Header(deadletter.HeaderTopic))
			assert.Equal(t, "17", letter.Header(deadletter.HeaderOffset))
			assert.Equal(t, "malformed", read.Reason)
		})
	}
}
