package batch

import (
	"encoding/binary"
	"iter"
)

// Count returns the number of records in batches, by their headers only: without transaction markers, but with records that
// Decode leaves out, such as aborted ones. It stops at an incomplete batch.
func Count(set []byte) int {
	count := 0
	for b := range headers(set) {
		if binary.BigEndian.Uint16(b[atAttributes:])&controlBit == 0 {
			count += int(int32(binary.BigEndian.Uint32(b[atCount:])))
		}
	}
	return count
}

// Open reports whether the last batch of a producer is one of records of a transaction, which has not ended then. It stops at an incomplete
// batch.
func Open(set []byte, producerID int64) bool {
	open := false
	for b := range headers(set) {
		if int64(binary.BigEndian.Uint64(b[atProducerID:])) == producerID {
			open = binary.BigEndian.Uint16(b[atAttributes:])&(controlBit|transactionalBit) == transactionalBit
		}
	}
	return open
}

// headers yields complete batches, whose headers can be read.
func headers(set []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(set) >= Overhead {
			length := int64(int32(binary.BigEndian.Uint32(set[atLength:])))
			if length < Overhead-lengthIsAfter || length > int64(len(set)-lengthIsAfter) || !yield(set) {
				return
			}
			set = set[length+lengthIsAfter:]
		}
	}
}
