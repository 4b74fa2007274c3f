// Package batch writes and reads record batches as Kafka sends and stores them, magic 2
// (https://kafka.apache.org/documentation/#recordbatch): what kafka-go writes lacks producer id, epoch and sequence, and
// what it reads hides who wrote a batch and where it ends.
//
//	encode.go    Encoder: records into one batch
//	decode.go    Decode: a fetched record set into records, without what aborted transactions wrote
//	reader.go    integers and varints that can't be read past the end
//	compress.go  codecs
package batch

import "errors"

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record of a batch. Key is nil for none, Value is nil for a tombstone.
type Record struct {
	Offset  int64
	Time    int64 // milliseconds since 1970
	Key     []byte
	Value   []byte
	Headers []Header
}

// Producer is who writes a batch, by which brokers recognise one that they have already.
type Producer struct {
	ID       int64
	Epoch    int16
	Sequence int32 // of the first record; counted per producer and partition
	// Transactional batches become visible with their transaction.
	Transactional bool
}

// ErrCorrupt says that bytes are no record batch, or not the one that was written.
var ErrCorrupt = errors.New("corrupt record batch")

// Where things lie in a batch.
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
	lengthIsAfter = 12 // the length counts from here
)

// Bits of a batch's attributes.
const (
	codecBits        = 0x07
	logAppendTimeBit = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20
)
