package batch_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

var codecs = []batch.Codec{batch.None, compress.Gzip, compress.Snappy, compress.Lz4, compress.Zstd}

func encode(t require.TestingT, codec batch.Codec, producer batch.Producer, records ...batch.Record) []byte {
	var e batch.Encoder
	e.Reset(codec, 0)
	for _, r := range records {
		e.Add(r)
	}
	assert.Equal(t, len(records), e.Len())
	b, err := e.Finish(producer)
	require.NoError(t, err)
	return b
}

// decode returns all records of a set and fails on a corrupt one.
func decode(t require.TestingT, set []byte, offset int64, aborted ...batch.Aborted) (records []batch.Record, next int64) {
	next, err := batch.Decode(set, offset, aborted, func(r batch.Record) { records = append(records, r) })
	require.NoError(t, err)
	return records, next
}

// at sets the base offset of a batch, as a broker does. The checksum does not cover it.
func at(offset int64, b []byte) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint64(b, uint64(offset))
	return b
}

// anyRecord generates records whose keys, values and headers may be nil, empty or arbitrary.
func anyRecord(t *rapid.T) batch.Record {
	anyBytes := rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 300))
	r := batch.Record{Time: rapid.Int64Range(1, 1<<42).Draw(t, "time"), Key: anyBytes.Draw(t, "key"), Value: anyBytes.Draw(t, "value")}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		r.Headers = append(r.Headers, batch.Header{Key: rapid.String().Draw(t, "name"), Value: anyBytes.Draw(t, "header")})
	}
	return r
}

func anyRecords(t *rapid.T) []batch.Record {
	records := rapid.SliceOfN(rapid.Custom(anyRecord), 1, 40).Draw(t, "records")
	for i := range records {
		records[i].Offset = int64(i)
	}
	return records
}

func TestEncodeDecode(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sent := anyRecords(t)
				got, next := decode(t, encode(t, codec, batch.Producer{ID: -1}, sent...), 0)
				assert.Equal(t, sent, got)
				assert.EqualValues(t, len(sent), next)
			})
		})
	}
}

// TestKafkaGoDecodesBatches: with producer id, epoch and sequence.
func TestKafkaGoDecodesBatches(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sent := anyRecords(t)
				producer := batch.Producer{
					ID: rapid.Int64().Draw(t, "id"), Epoch: rapid.Int16().Draw(t, "epoch"),
					Sequence: rapid.Int32().Draw(t, "sequence"), Transactional: rapid.Bool().Draw(t, "transactional"),
				}
				encoded := encode(t, codec, producer, sent...)
				sized := append(binary.BigEndian.AppendUint32(nil, uint32(len(encoded))), encoded...)
				var set protocol.RecordSet
				_, err := set.ReadFrom(bytes.NewReader(sized))
				require.NoError(t, err)
				stream, ok := set.Records.(*protocol.RecordStream)
				require.True(t, ok)
				require.Len(t, stream.Records, 1)
				read, ok := stream.Records[0].(*protocol.RecordBatch)
				require.True(t, ok)
				by := batch.Producer{
					ID: read.ProducerID, Epoch: read.ProducerEpoch, Sequence: read.BaseSequence, Transactional: read.Attributes.Transactional(),
				}
				assert.Equal(t, producer, by)
				assert.Equal(t, sent, drain(t, stream))
			})
		})
	}
}

// drain converts kafka-go's records. It does not distinguish nil and empty header values.
func drain(t require.TestingT, from protocol.RecordReader) []batch.Record {
	var all []batch.Record
	for {
		r, err := from.ReadRecord()
		if err != nil {
			return all
		}
		one := batch.Record{Offset: r.Offset, Time: r.Time.UnixMilli(), Key: bytesOf(t, r.Key), Value: bytesOf(t, r.Value)}
		for _, h := range r.Headers {
			one.Headers = append(one.Headers, batch.Header{Key: h.Key, Value: h.Value})
		}
		all = append(all, one)
	}
}

func bytesOf(t require.TestingT, from protocol.Bytes) []byte {
	b, err := protocol.ReadAll(from)
	require.NoError(t, err)
	return b
}

func TestDecodesBatchesOfKafkaGo(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sent := anyRecords(t)
				var theirs []protocol.Record
				for _, r := range sent {
					one := protocol.Record{Offset: r.Offset, Time: time.UnixMilli(r.Time), Key: protocol.NewBytes(r.Key), Value: protocol.NewBytes(r.Value)}
					for _, h := range r.Headers {
						one.Headers = append(one.Headers, protocol.Header{Key: h.Key, Value: h.Value})
					}
					theirs = append(theirs, one)
				}
				set := protocol.RecordSet{Version: 2, Attributes: protocol.Attributes(codec), Records: protocol.NewRecordReader(theirs...)}
				var encoded bytes.Buffer
				_, err := set.WriteTo(&encoded)
				require.NoError(t, err)
				got, next := decode(t, encoded.Bytes()[4:], 0)
				assert.Equal(t, sent, got)
				assert.EqualValues(t, len(sent), next)
			})
		})
	}
}

// TestGoldenBatch: the bytes of https://kafka.apache.org/documentation/#recordbatch, field by field.
func TestGoldenBatch(t *testing.T) {
	encoded := encode(t, batch.None, batch.Producer{ID: 0x0102030405060708, Epoch: 0x0a0b, Sequence: 0x0c0d0e0f, Transactional: true},
		batch.Record{Time: 1_700_000_000_000, Key: []byte("k"), Value: []byte("v"), Headers: []batch.Header{{Key: "h", Value: []byte("w")}, {Key: "n"}}},
		batch.Record{Time: 1_700_000_000_005},
	)
	want := "" +
		"0000000000000000" + // base offset
		"00000048" + // length behind it: 49, 16 and 7
		"ffffffff" + // leader epoch
		"02" + // magic
		"21f8df26" + // CRC-32C of what follows
		"0010" + // attributes: transactional
		"00000001" + // last offset delta
		"0000018bcfe56800" + // first time
		"0000018bcfe56805" + // max time
		"0102030405060708" + "0a0b" + "0c0d0e0f" + // producer
		"00000002" + // count
		"1e" + "00" + "00" + "00" + "026b" + "0276" + "04" + "0268" + "0277" + "026e" + "01" + // 15 bytes
		"0c" + "00" + "0a" + "02" + "01" + "01" + "00" // a tombstone without a key, 5 ms and 1 offset behind
	assert.Equal(t, want, hex.EncodeToString(encoded))
}

// TestStampKeepsRecords: the same records can be sent with another producer id.
func TestStampKeepsRecords(t *testing.T) {
	sent := []batch.Record{{Offset: 0, Time: 5, Value: []byte("a")}, {Offset: 1, Time: 7, Value: []byte("b")}}
	b := encode(t, compress.Lz4, batch.Producer{ID: 1, Epoch: 1, Sequence: 1, Transactional: true}, sent...)
	batch.Stamp(b, batch.Producer{ID: 2, Sequence: 0})
	assert.Equal(t, encode(t, compress.Lz4, batch.Producer{ID: 2}, sent...), b)
	got, _ := decode(t, b, 0)
	assert.Equal(t, sent, got)
}

// TestEncoderReuse: nothing of the previous batch remains.
func TestEncoderReuse(t *testing.T) {
	var e batch.Encoder
	for i := range 3 {
		e.Reset(compress.Zstd, 100)
		e.Add(batch.Record{Time: int64(i), Value: bytes.Repeat([]byte{'a'}, 50*i)})
		b, err := e.Finish(batch.Producer{})
		require.NoError(t, err)
		assert.Equal(t, i == 2, b[22] != 0, "below the threshold nothing is compressed")
		got, _ := decode(t, b, 0)
		assert.Equal(t, []batch.Record{{Time: int64(i), Value: bytes.Repeat([]byte{'a'}, 50*i)}}, got, fmt.Sprint(i))
	}
	e.Reset(batch.Codec(7), 0)
	e.Add(batch.Record{})
	_, err := e.Finish(batch.Producer{})
	assert.ErrorContains(t, err, "unknown")
}
