package state

import (
	"encoding/binary"
)

// In the files, the key of a row is the partition number (4 bytes) followed by its key in the changelog. Keys that begin with a
// zero byte are reserved.
const (
	partitionBytes = 4
	reserved       = 0x00
)

const (
	originKey = "\x00origin" // in the changelog: a random id, written by the first owner of the partition
	countKey  = "\x00count"  // in the changelog: how many transactions with rows there were, in each of them
	markKey   = "\x00mark"   // in the files only: see mark
)

func isReserved(key []byte) bool { return len(key) == 0 || key[0] == reserved }

func (p *Partition) local(key []byte) []byte {
	at := make([]byte, 0, partitionBytes+len(key))
	return append(binary.BigEndian.AppendUint32(at, uint32(p.number)), key...)
}

// span returns the range of keys with a prefix in the files; end is excluded.
func (p *Partition) span(prefix []byte) (first, end []byte) {
	first = p.local(prefix)
	end = append([]byte(nil), first...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return first, end[:i+1]
		}
	}
	return first, nil // all bytes are 0xff: there is no end, and no such number
}
