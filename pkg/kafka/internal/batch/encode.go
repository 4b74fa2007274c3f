package batch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Encoder encodes records into a batch: Reset, Add for each record, Finish. The zero value is ready. Its memory is reused after
// Reset.
type Encoder struct {
	buffer    []byte
	packed    bytes.Buffer // the batch, compressed
	count     int32
	first     int64
	last      int64
	codec     Codec
	threshold int
}

// Reset starts a batch. Records below threshold bytes are not compressed.
func (e *Encoder) Reset(codec Codec, threshold int) {
	e.buffer = append(e.buffer[:0], make([]byte, Overhead)...)
	e.count, e.first, e.last = 0, 0, math.MinInt64
	e.codec, e.threshold = codec, threshold
}

// Add adds a record. Its offset is ignored.
func (e *Encoder) Add(r Record) {
	if e.count == 0 {
		e.first = r.Time
	}
	e.last = max(e.last, r.Time)
	size := sizeOf(r, r.Time-e.first, int64(e.count))
	b := binary.AppendVarint(e.buffer, int64(size))
	b = append(b, 0) // attributes, unused
	b = binary.AppendVarint(b, r.Time-e.first)
	b = binary.AppendVarint(b, int64(e.count))
	b = appendBytes(b, r.Key)
	b = appendBytes(b, r.Value)
	b = binary.AppendVarint(b, int64(len(r.Headers)))
	for _, h := range r.Headers {
		b = binary.AppendVarint(b, int64(len(h.Key)))
		b = append(b, h.Key...)
		b = appendBytes(b, h.Value)
	}
	e.buffer = b
	e.count++
}

// Len returns the number of records.
func (e *Encoder) Len() int { return int(e.count) }

// Finish returns the batch. It is valid until Reset.
func (e *Encoder) Finish(producer Producer) ([]byte, error) {
	b, codec := e.buffer, None
	if e.codec != None && len(e.buffer)-Overhead >= e.threshold {
		e.packed.Reset()
		e.packed.Write(e.buffer[:Overhead])
		if err := compressTo(&e.packed, e.codec, e.buffer[Overhead:]); err != nil {
			return nil, fmt.Errorf("compress records: %w", err)
		}
		if e.packed.Len() < len(e.buffer) {
			b, codec = e.packed.Bytes(), e.codec
		}
	}
	binary.BigEndian.PutUint64(b, 0) // base offset, set by the broker
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-lengthIsAfter))
	binary.BigEndian.PutUint32(b[lengthIsAfter:], uint32(math.MaxUint32)) // leader epoch: none
	b[atMagic] = magic
	binary.BigEndian.PutUint16(b[atAttributes:], uint16(codec))
	binary.BigEndian.PutUint32(b[atLastOffsetDelta:], uint32(e.count-1))
	binary.BigEndian.PutUint64(b[atFirstTime:], uint64(e.first))
	binary.BigEndian.PutUint64(b[atMaxTime:], uint64(e.last))
	binary.BigEndian.PutUint32(b[atCount:], uint32(e.count))
	Stamp(b, producer)
	return b, nil
}

// Stamp sets the producer of a batch, and its checksum.
func Stamp(b []byte, producer Producer) {
	attributes := binary.BigEndian.Uint16(b[atAttributes:]) &^ transactionalBit
	if producer.Transactional {
		attributes |= transactionalBit
	}
	binary.BigEndian.PutUint16(b[atAttributes:], attributes)
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(producer.ID))
	binary.BigEndian.PutUint16(b[atProducerEpoch:], uint16(producer.Epoch))
	binary.BigEndian.PutUint32(b[atSequence:], uint32(producer.Sequence))
	binary.BigEndian.PutUint32(b[atChecksum:], checksum(b[atAttributes:]))
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// appendBytes appends bytes with their length, which is -1 for nil.
func appendBytes(b, value []byte) []byte {
	if value == nil {
		return binary.AppendVarint(b, -1)
	}
	b = binary.AppendVarint(b, int64(len(value)))
	return append(b, value...)
}

// sizeOf returns the size of a record without its length.
func sizeOf(r Record, time, offset int64) int {
	size := 1 + varintSize(time) + varintSize(offset) + bytesSize(r.Key) + bytesSize(r.Value) + varintSize(int64(len(r.Headers)))
	for _, h := range r.Headers {
		size += varintSize(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	return size
}

func bytesSize(value []byte) int {
	if value == nil {
		return 1
	}
	return varintSize(int64(len(value))) + len(value)
}

func varintSize(n int64) int {
	size := 1
	for u := uint64(n)<<1 ^ uint64(n>>63); u >= 0x80; u >>= 7 {
		size++
	}
	return size
}
