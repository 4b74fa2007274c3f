package batch

import "encoding/binary"

// Count returns the number of records in batches, by their headers only: without transaction markers, but with records that
// Decode leaves out, such as aborted ones. It stops at an incomplete batch.
func Count(set []byte) int {
	count := 0
	for len(set) >= Overhead {
		length := int64(int32(binary.BigEndian.Uint32(set[atLength:])))
		if length < Overhead-lengthIsAfter || length > int64(len(set)-lengthIsAfter) {
			break
		}
		if binary.BigEndian.Uint16(set[atAttributes:])&controlBit == 0 {
			count += int(int32(binary.BigEndian.Uint32(set[atCount:])))
		}
		set = set[length+lengthIsAfter:]
	}
	return count
}
