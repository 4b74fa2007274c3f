package batch_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// Positions of fields in a batch.
const (
	atMagic      = 16
	atAttributes = 21
	atLastDelta  = 23
	atMaxTime    = 35
	atCount      = 57
	overhead     = 61
)

// sealed sets the checksum.
func sealed(b []byte) []byte {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[atAttributes:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// of returns a batch of a producer's records from an offset on, value i for offset i.
func of(producer int64, transactional bool, offset int64, count int) []byte {
	var e batch.Encoder
	e.Reset(batch.None, 0)
	for i := range count {
		e.Add(batch.Record{Value: fmt.Append(nil, offset+int64(i))})
	}
	b, err := e.Finish(batch.Producer{ID: producer, Transactional: transactional})
	if err != nil {
		panic(err)
	}
	return at(offset, b)
}

// inEpoch returns a transactional batch with another producer epoch.
func inEpoch(epoch int16, producer int64, offset int64, count int) []byte {
	b := of(producer, true, offset, count)
	batch.Stamp(b, batch.Producer{ID: producer, Epoch: epoch, Transactional: true})
	return b
}

// marker returns a transaction marker (https://kafka.apache.org/documentation/#controlbatch).
func marker(producer, offset int64, commit bool) []byte {
	key := []byte{0, 0, 0, 0}
	if commit {
		key[3] = 1
	}
	var e batch.Encoder
	e.Reset(batch.None, 0)
	e.Add(batch.Record{Key: key, Value: make([]byte, 6)})
	b, err := e.Finish(batch.Producer{ID: producer, Transactional: true})
	if err != nil {
		panic(err)
	}
	b[atAttributes+1] |= 0x20
	return sealed(at(offset, b))
}

// emptied returns a batch whose records were all removed by compaction.
func emptied(b []byte) []byte {
	b = bytes.Clone(b[:overhead])
	binary.BigEndian.PutUint32(b[8:], overhead-12)
	binary.BigEndian.PutUint32(b[atCount:], 0)
	return sealed(b)
}

func TestAbortedTransactionsAreLeftOut(t *testing.T) {
	const p, q, r = 1, 2, 3
	abort, commit := false, true
	for _, c := range []struct {
		name    string
		set     [][]byte
		aborted []batch.Aborted
		from    int64
		want    []int64
		next    int64
	}{
		{name: "nothing", want: nil, next: 0},
		{name: "no transaction", set: [][]byte{of(p, false, 0, 3)}, want: []int64{0, 1, 2}, next: 3},
		{name: "committed", set: [][]byte{of(p, true, 0, 2), marker(p, 2, commit)}, want: []int64{0, 1}, next: 3},
		{
			name: "aborted", set: [][]byte{of(p, true, 0, 2), of(p, true, 2, 1), marker(p, 3, abort)},
			aborted: []batch.Aborted{{p, 0}}, next: 4,
		},
		{
			name: "one after the other, of one producer",
			set: [][]byte{
				of(p, true, 0, 2), marker(p, 2, abort), of(p, true, 3, 1), marker(p, 4, commit), of(p, true, 5, 1), marker(p, 6, abort), of(p, true, 7, 1),
			},
			aborted: []batch.Aborted{{p, 5}, {p, 0}}, want: []int64{3, 7}, next: 8,
		},
		{
			name: "interleaved producers, and one without transactions",
			set: [][]byte{
				of(p, true, 0, 1), of(q, true, 1, 1), of(r, false, 2, 1), of(p, true, 3, 1), marker(p, 4, abort),
				of(q, true, 5, 1), of(p, true, 6, 1), marker(q, 7, commit), marker(p, 8, commit),
			},
			aborted: []batch.Aborted{{p, 0}}, want: []int64{1, 2, 5, 6}, next: 9,
		},
		{
			name: "two aborted at once, the markers crossed",
			set: [][]byte{
				of(p, true, 0, 1), of(q, true, 1, 1), marker(q, 2, abort), of(q, true, 3, 1), of(p, true, 4, 1), marker(p, 5, abort), marker(q, 6, commit), of(p, true, 7, 1),
			},
			aborted: []batch.Aborted{{q, 1}, {p, 0}}, want: []int64{3, 7}, next: 8,
		},
		{name: "a list without a marker: it is yet to come", set: [][]byte{of(p, true, 0, 2), of(q, false, 2, 1)}, aborted: []batch.Aborted{{p, 0}}, want: []int64{2}, next: 3},
		{name: "a marker without a list: retention took the records", set: [][]byte{marker(p, 5, abort), of(p, true, 6, 1)}, from: 5, want: []int64{6}, next: 7},
		{name: "markers alone", set: [][]byte{marker(p, 0, abort), marker(q, 1, commit), marker(p, 2, commit)}, aborted: []batch.Aborted{{p, 0}}, next: 3},
		{name: "it began before the start offset", set: [][]byte{of(p, true, 10, 2), marker(p, 12, abort), of(p, true, 13, 1)}, aborted: []batch.Aborted{{p, 3}}, from: 10, want: []int64{13}, next: 14},
		{name: "it begins behind what was sent", set: [][]byte{of(p, true, 0, 2)}, aborted: []batch.Aborted{{p, 2}}, want: []int64{0, 1}, next: 2},
		{name: "records of no transaction by a producer that aborted one", set: [][]byte{of(p, false, 0, 2)}, aborted: []batch.Aborted{{p, 0}}, want: []int64{0, 1}, next: 2},
		{
			name: "an abort marker that compaction emptied ends the transaction too",
			set:  [][]byte{of(p, true, 0, 1), emptied(marker(p, 1, abort)), of(p, true, 2, 1), marker(p, 3, commit)}, aborted: []batch.Aborted{{p, 0}}, want: []int64{2}, next: 4,
		},
		{
			name: "compaction took the abort marker: the next one ends the transaction",
			set:  [][]byte{of(p, true, 0, 1), marker(p, 5, commit), of(p, true, 6, 1)}, aborted: []batch.Aborted{{p, 0}}, want: []int64{6}, next: 7,
		},
		{
			name:    "the broker died and wrote no marker: the producer's next epoch has another transaction",
			set:     [][]byte{inEpoch(0, p, 0, 2), inEpoch(0, p, 2, 1), inEpoch(1, p, 3, 1), marker(p, 4, commit), inEpoch(1, p, 5, 1), marker(p, 6, commit)},
			aborted: []batch.Aborted{{p, 0}}, want: []int64{3, 5}, next: 7,
		},
		{
			name:    "the same twice",
			set:     [][]byte{inEpoch(0, p, 0, 1), inEpoch(1, p, 1, 1), inEpoch(2, p, 2, 1), marker(p, 3, commit)},
			aborted: []batch.Aborted{{p, 0}, {p, 1}}, want: []int64{2}, next: 4,
		},
		{name: "from the middle of a batch", set: [][]byte{of(p, false, 0, 5), of(p, false, 5, 2)}, from: 3, want: []int64{3, 4, 5, 6}, next: 7},
		{name: "a complete batch before the start offset", set: [][]byte{of(p, false, 0, 5), of(p, false, 5, 2)}, from: 5, want: []int64{5, 6}, next: 7},
		{name: "all of it before the start offset", set: [][]byte{of(p, false, 0, 5)}, from: 9, next: 9},
		{name: "compaction emptied a batch", set: [][]byte{emptied(of(p, false, 0, 5)), of(p, false, 9, 1)}, want: []int64{9}, next: 10},
		{name: "compaction emptied all", set: [][]byte{emptied(of(p, true, 0, 5))}, next: 5},
		{name: "compaction left gaps", set: [][]byte{withGaps(of(p, false, 10, 3), 20)}, from: 4, want: []int64{10, 11, 12}, next: 31},
		{name: "the last one is cut off", set: [][]byte{of(p, false, 0, 2), of(p, false, 2, 2)[:70]}, want: []int64{0, 1}, next: 2},
		{name: "only a piece of one", set: [][]byte{of(p, false, 0, 2)[:11]}, from: 1, next: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			aborted := slices.Clone(c.aborted)
			got, next := decode(t, slices.Concat(c.set...), c.from, aborted...)
			var offsets []int64
			for _, r := range got {
				offsets = append(offsets, r.Offset)
				assert.Equal(t, fmt.Sprint(r.Offset), string(r.Value))
			}
			assert.Equal(t, c.want, offsets)
			assert.Equal(t, c.next, next)
			assert.Equal(t, c.aborted, aborted, "the list is not changed")
		})
	}
}

// withGaps returns a batch whose last records were removed by compaction; its offsets remain.
func withGaps(b []byte, lastDelta uint32) []byte {
	binary.BigEndian.PutUint32(b[atLastDelta:], lastDelta)
	return sealed(b)
}

func TestLogAppendTime(t *testing.T) {
	b := encode(t, compress.Snappy, batch.Producer{}, batch.Record{Time: 5}, batch.Record{Time: 6})
	b[atAttributes+1] |= 0x08
	binary.BigEndian.PutUint64(b[atMaxTime:], 77)
	got, _ := decode(t, sealed(b), 0)
	for _, r := range got {
		assert.EqualValues(t, 77, r.Time)
	}
}

func TestCorruptBatches(t *testing.T) {
	for name, corrupt := range map[string]func(b []byte) []byte{
		"a flipped bit":           func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"an old format":           func(b []byte) []byte { b[atMagic] = 1; return b },
		"no length":               func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 0); return b },
		"a length below zero":     func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], math.MaxUint32); return b },
		"an offset below zero":    func(b []byte) []byte { return at(-1, b) },
		"offsets past the last":   func(b []byte) []byte { return at(math.MaxInt64, withGaps(b, 1)) },
		"a last offset below":     func(b []byte) []byte { return withGaps(b, math.MaxUint32) },
		"an unknown codec":        func(b []byte) []byte { b[atAttributes+1] |= 7; return sealed(b) },
		"another codec":           func(b []byte) []byte { b[atAttributes+1] |= 4; return sealed(b) },
		"more records than bytes": func(b []byte) []byte { binary.BigEndian.PutUint32(b[atCount:], 1<<30); return sealed(b) },
		"a record past its batch": func(b []byte) []byte { return withGaps(b, 0) },
		"a length past the end":   func(b []byte) []byte { b[overhead] = 0x7e; return sealed(b) },
		"a length of nothing":     func(b []byte) []byte { b[overhead] = 1; return sealed(b) },
		"more headers than bytes": func(b []byte) []byte { b[len(b)-1] = 0x7e; return sealed(b) },
	} {
		t.Run(name, func(t *testing.T) {
			good := encode(t, batch.None, batch.Producer{}, batch.Record{Value: []byte("a")}, batch.Record{Value: []byte("b")})
			set := append(bytes.Clone(good), corrupt(at(2, good))...)
			var got []batch.Record
			next, err := batch.Decode(set, 0, nil, func(r batch.Record) { got = append(got, r) })
			require.ErrorIs(t, err, batch.ErrCorrupt)
			assert.EqualValues(t, 2, next, "behind the last good one")
			assert.GreaterOrEqual(t, len(got), 2)
		})
	}
}

// TestTruncatedSets: complete batches are decoded wherever a set is truncated, and nothing else.
func TestTruncatedSets(t *testing.T) {
	whole := slices.Concat(of(1, false, 0, 2), of(1, false, 2, 2), of(1, false, 4, 2))
	size := len(whole) / 3
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.IntRange(0, len(whole)).Draw(t, "cut")
		got, next := decode(t, whole[:cut], 0)
		assert.Len(t, got, 2*(cut/size))
		assert.EqualValues(t, 2*(cut/size), next)
	})
}

// TestHeaderCountLimitsMemory: a few bytes must not allocate much memory.
func TestHeaderCountLimitsMemory(t *testing.T) {
	const size = 1 << 20
	claim := binary.AppendVarint([]byte{0, 0, 0, 1, 1}, size-1) // no key, no value, a million headers …
	claim = append(claim, bytes.Repeat([]byte{0xff}, size)...)  // … the first of which can't be read
	record := append(binary.AppendVarint(nil, int64(len(claim))), claim...)
	b := append(of(1, false, 0, 1)[:overhead:overhead], record...)
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	sealed(b)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := batch.Decode(b, 0, nil, func(batch.Record) {})
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, batch.ErrCorrupt)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size))
}

func FuzzDecode(f *testing.F) {
	f.Add(of(1, true, 0, 3), int64(0), int64(0))
	f.Add(slices.Concat(of(1, true, 5, 3), marker(1, 8, false), of(1, false, 9, 1)), int64(6), int64(5))
	f.Add(emptied(of(1, true, 0, 3)), int64(0), int64(0))
	for _, codec := range codecs {
		f.Add(encode(f, codec, batch.Producer{ID: 1}, batch.Record{Key: []byte("k"), Headers: []batch.Header{{Key: "h"}}}, batch.Record{Value: []byte("v")}), int64(0), int64(0))
	}
	f.Fuzz(func(t *testing.T, set []byte, offset, aborted int64) {
		for _, input := range [][]byte{bytes.Clone(set), resealed(set)} {
			before := bytes.Clone(input)
			last := int64(math.MinInt64)
			next, err := batch.Decode(input, offset, []batch.Aborted{{ProducerID: 1, FirstOffset: aborted}}, func(r batch.Record) {
				if r.Offset < offset {
					t.Errorf("offset %d is before the start", r.Offset)
				}
				last = max(last, r.Offset)
			})
			if next < offset {
				t.Errorf("next is %d, before %d", next, offset)
			}
			if err == nil && last >= next {
				t.Errorf("next is %d, and %d was handed over", next, last)
			}
			if !bytes.Equal(before, input) {
				t.Error("the set was changed")
			}
		}
	})
}

// resealed sets the first batch's length and checksum, so that the rest is decoded.
func resealed(set []byte) []byte {
	b := bytes.Clone(set)
	if len(b) < overhead {
		return b
	}
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	b[atMagic] = 2
	return sealed(b)
}

func FuzzEncodeDecode(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		sent := anyRecords(t)
		producer := batch.Producer{ID: rapid.Int64().Draw(t, "id"), Transactional: rapid.Bool().Draw(t, "transactional")}
		got, next := decode(t, encode(t, rapid.SampledFrom(codecs).Draw(t, "codec"), producer, sent...), 0)
		assert.Equal(t, sent, got)
		assert.EqualValues(t, len(sent), next)
	}))
}
