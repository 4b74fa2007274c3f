package deadletter_test

import (
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

// original has bytes that are no text, a header twice, and one of a name like ours.
func original() kafka.Record {
	return kafka.Record{
		Topic: "recharge.events", Partition: 3, Offset: 17, Key: []byte("acme/1"), Value: []byte{0, 0xff, '\n'}, Time: at(0),
		Headers: []kafka.Header{
			{Key: "store", Value: []byte("acme")}, {Key: "x", Value: []byte("1")}, {Key: "x", Value: nil}, {Key: "redriver", Value: []byte("y")},
		},
	}
}

// stored is what a reader gets of a record that was produced.
func stored(r kafka.Record, offset int64, written time.Time) kafka.Record {
	r.Offset, r.Time = offset, written
	return r
}

// However often a record dies and is sent again, it stays what it was, where it was, and each attempt is counted.
func TestARecordStaysWhatItWas(t *testing.T) {
	first := deadletter.Read(original())
	assert.Equal(t, deadletter.Letter{Record: original()}, first, "a record that never died")

	letter := stored(first.Rejected("tracking", "refused", "says no", at(1)).To(letters), 5, at(1))
	for attempt := 2; attempt < 5; attempt++ {
		assert.Equal(t, letters, letter.Topic)
		redriven := stored(deadletter.Redrive(letter, again), 9, at(10*attempt))
		assert.Equal(t, again, redriven.Topic)
		assert.Equal(t, 3, redriven.Partition)
		of, ok := deadletter.RedriveOf(redriven)
		assert.True(t, ok)
		assert.Equal(t, deadletter.PlaceOf(letter), of)

		read := deadletter.Read(redriven)
		assert.Equal(t, original(), read.Record)
		taken := deadletter.Original(redriven)
		of, ok = deadletter.RedriveOf(taken)
		assert.True(t, ok)
		assert.Equal(t, deadletter.PlaceOf(letter), of)
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

// A letter of a version that did not count has one attempt, at the time it says.
func TestLettersThatDoNotCount(t *testing.T) {
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

// What was written by hand is a record of its own: its place can't be believed, and it must not stop its partition.
func TestLettersByHand(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"no place":          {deadletter.HeaderTopic: ""},
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

// The cause is cut between characters: a header of half of one could not be shown.
func TestALongCauseIsCut(t *testing.T) {
	letter := deadletter.Read(original()).Rejected("sms", "refused", "x"+strings.Repeat("ä", 1<<20), at(1))
	assert.LessOrEqual(t, len(letter.Error), 2<<10)
	assert.True(t, utf8.ValidString(letter.Error))
}

func TestPlaces(t *testing.T) {
	p, err := deadletter.ParsePlace("3/17")
	require.NoError(t, err)
	assert.Equal(t, deadletter.Place{Partition: 3, Offset: 17}, p)
	assert.Equal(t, "3/17", p.String())
	for _, bad := range []string{"", "3", "3/", "/17", "-1/2", "1/-2", "3/17/1", "a/b"} {
		_, err := deadletter.ParsePlace(bad)
		require.ErrorContains(t, err, "is not partition/offset", bad)
	}
}
