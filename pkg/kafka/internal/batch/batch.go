// Package batch encodes and decodes record batches, magic 2 (https://kafka.apache.org/documentation/#recordbatch). kafka-go
// encodes them without producer id, epoch and sequence, and does not return the producer and end of those that it decodes.
//
//	batch.go     Record, and the format of a batch
//	encode.go    Encoder, which encodes records into a batch
//	decode.go    Decode, which decodes the batches of a fetch response
//	count.go     Count, the number of records in batches
//	filter.go    leaves out transaction markers and aborted records
//	reader.go    decodes values of a record
//	compress.go  compression
package batch

import "errors"

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is a record of a batch. Key is nil for none, Value is nil for a tombstone.
type Record struct {
	Offset  int64
	Time    int64 // milliseconds since 1970
	Key     []byte
	Value   []byte
	Headers []Header
}

// Producer identifies a batch, so that brokers detect duplicates.
type Producer struct {
	ID       int64
	Epoch    int16
	Sequence int32 // of the first record; counted per producer and partition
	// Transactional batches are part of a transaction.
	Transactional bool
}

// ErrCorrupt means that bytes are not a valid record batch.
var ErrCorrupt = errors.New("corrupt record batch")

// Positions of fields in a batch.
const (
	atLength          = 8
	atMagic           = 16
	atChecksum        = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atFirstTime       = 27
	atMaxTime         = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atSequence        = 53
	atCount           = 57
	// Overhead is the size in bytes of a batch without records.
	Overhead = 61

	magic         = 2
	lengthIsAfter = 12 // end of the length field
)

// Bits of a batch's attributes.
const (
	codecBits        = 0x07
	logAppendTimeBit = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20
)
