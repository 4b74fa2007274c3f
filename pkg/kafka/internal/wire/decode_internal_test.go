package wire

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// answer builds the body of a response.
type answer []byte

func (a answer) int16(n int16) answer   { return binary.BigEndian.AppendUint16(a, uint16(n)) }
func (a answer) int32(n int32) answer   { return binary.BigEndian.AppendUint32(a, uint32(n)) }
func (a answer) int64(n int64) answer   { return binary.BigEndian.AppendUint64(a, uint64(n)) }
func (a answer) string(s string) answer { return appendString(a, s) }
func (a answer) bytes(b string) answer  { return append(a.int32(int32(len(b))), b...) }

// https://kafka.apache.org/protocol#The_Messages_Produce, version 8.
func produceAnswer() answer {
	return answer{}.int32(2).
		string("a").int32(2).
		int32(0).int16(0).int64(7).int64(-1).int64(0).int32(0).int16(-1).
		int32(5).int16(87).int64(-1).int64(-1).int64(-1).int32(1).int32(3).string("of the batch").string("broken").
		string("b").int32(1).
		int32(1).int16(6).int64(-1).int64(-1).int64(-1).int32(-1).int16(-1).
		int32(0)
}

// https://kafka.apache.org/protocol#The_Messages_Fetch, version 11.
func fetchAnswer() answer {
	return answer{}.int32(0).int16(0).int32(0).int32(2).
		string("a").int32(2).
		int32(0).int16(0).int64(10).int64(9).int64(1).int32(2).int64(4).int64(5).int64(6).int64(7).int32(-1).bytes("set").
		int32(1).int16(1).int64(-1).int64(-1).int64(-1).int32(-1).int32(-1).int32(-1).
		string("b").int32(1).
		int32(3).int16(0).int64(0).int64(0).int64(0).int32(0).int32(2).bytes("")
}

func TestDecodeProduce(t *testing.T) {
	got, err := decodeProduce(produceAnswer())
	require.NoError(t, err)
	assert.Equal(t, produceResponse{api: api(protocol.Produce), results: []ProduceResult{
		{Partition: Partition{"a", 0}, BaseOffset: 7},
		{Partition: Partition{"a", 5}, Code: 87, BaseOffset: -1, Message: "broken"},
		{Partition: Partition{"b", 1}, Code: 6, BaseOffset: -1},
	}}, got)
}

func TestDecodeFetch(t *testing.T) {
	got, err := decodeFetch(fetchAnswer())
	require.NoError(t, err)
	assert.Equal(t, fetchResponse{api: api(protocol.Fetch), results: []FetchResult{
		{
			Partition: Partition{"a", 0}, HighWatermark: 10, LastStable: 9, LogStart: 1, PreferredReplica: -1, Set: []byte("set"),
			Aborted: []batch.Aborted{{ProducerID: 4, FirstOffset: 5}, {ProducerID: 6, FirstOffset: 7}},
		},
		{Partition: Partition{"a", 1}, Code: 1, HighWatermark: -1, LastStable: -1, LogStart: -1, PreferredReplica: -1},
		{Partition: Partition{"b", 3}, PreferredReplica: 2, Set: []byte{}},
	}}, got)
}

// https://kafka.apache.org/protocol#The_Messages_DescribeTransactions, version 0.
func describeAnswer() answer {
	a := append(answer{}, 0).int32(0)
	a = append(a, 2).int16(0)
	a = append(append(a, 3), "id"...)
	return append(append(a, 15), "CompleteCommit"...)
}

func TestDecodeDescribe(t *testing.T) {
	got, err := decodeDescribe(append(describeAnswer(), "what is not needed"...))
	require.NoError(t, err)
	assert.Equal(t, transactionResponse{api: describeTransactions, state: "CompleteCommit"}, got)
}

func TestTruncatedResponse(t *testing.T) {
	for cut := range len(describeAnswer()) {
		_, err := decodeDescribe(describeAnswer()[:cut])
		require.ErrorIs(t, err, errTruncated, "cut at %d", cut)
	}
	for cut := range len(produceAnswer()) - 4 { // the rest is ignored
		_, err := decodeProduce(produceAnswer()[:cut])
		require.ErrorIs(t, err, errTruncated, "cut at %d", cut)
	}
	for cut := range len(fetchAnswer()) {
		_, err := decodeFetch(fetchAnswer()[:cut])
		require.ErrorIs(t, err, errTruncated, "cut at %d", cut)
	}
}

// TestArrayCountIsLimited: a count beyond the remaining bytes is an error at once.
func TestArrayCountIsLimited(t *testing.T) {
	r := reader{rest: answer{}.int32(math.MaxInt32).int64(0)}
	calls := 0
	r.array(func() { calls++ })
	assert.Zero(t, calls)
	require.ErrorIs(t, r.err(), errTruncated)

	r = reader{rest: answer{}.int32(-1)}
	r.array(func() { calls++ })
	assert.Zero(t, calls)
	assert.NoError(t, r.err())
}

func framed(body []byte) []byte {
	return append(answer{}.int32(int32(len(body)+4)).int32(correlationID), body...)
}

func TestReadResponse(t *testing.T) {
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5 << 20} {
		body := bytes.Repeat([]byte{7}, size)
		got, err := readResponse(iotest.HalfReader(bytes.NewReader(append(framed(body), "the next"...))))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(body, got), size)
	}
	for name, stream := range map[string][]byte{
		"nothing":             nil,
		"no body":             answer{}.int32(100).int32(correlationID),
		"a size below zero":   answer{}.int32(-1).int32(correlationID),
		"too small a size":    answer{}.int32(3).int32(correlationID),
		"too large a size":    answer{}.int32(maxResponse + 5).int32(correlationID),
		"an answer to others": answer{}.int32(4).int32(correlationID + 1),
		"cut off":             framed(make([]byte, 3<<20))[:2<<20],
	} {
		_, err := readResponse(bytes.NewReader(stream))
		require.Error(t, err, name)
	}
	_, err := readResponse(iotest.ErrReader(io.ErrClosedPipe))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

// TestSizeIsNotAllocated: an announced size is not allocated before bytes arrive. A TLS alert looks like a response of 352 MB.
func TestSizeIsNotAllocated(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readResponse(bytes.NewReader(answer{}.int32(maxResponse).int32(correlationID).int64(0)))
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
}

func FuzzDecodeProduce(f *testing.F) {
	f.Add([]byte(produceAnswer()))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeProduce(body)
		if response, ok := got.(produceResponse); !ok || err == nil && len(response.results) > len(body) {
			t.Errorf("%d bytes, and %v", len(body), got)
		}
	})
}

func FuzzDecodeFetch(f *testing.F) {
	f.Add([]byte(fetchAnswer()))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeFetch(body)
		response, ok := got.(fetchResponse)
		if !ok {
			t.Fatalf("not an answer: %v", got)
		}
		size := 0
		for _, a := range response.results {
			size += len(a.Set) + 16*len(a.Aborted)
		}
		if err == nil && size > len(body) {
			t.Errorf("%d bytes out of %d", size, len(body))
		}
	})
}

func FuzzDecodeDescribe(f *testing.F) {
	f.Add([]byte(describeAnswer()))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeDescribe(body)
		if response, ok := got.(transactionResponse); err == nil && (!ok || len(response.state) > len(body)) {
			t.Errorf("%d bytes, and %v", len(body), got)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(framed([]byte("body")))
	f.Add([]byte(answer{}.int32(maxResponse).int32(correlationID)))
	f.Fuzz(func(t *testing.T, stream []byte) {
		body, err := readResponse(bytes.NewReader(stream))
		if err == nil && len(body)+8 > len(stream) {
			t.Errorf("%d bytes out of %d", len(body), len(stream))
		}
	})
}
