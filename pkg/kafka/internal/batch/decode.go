package batch

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Aborted is an aborted transaction: what its producer wrote from FirstOffset to its next transaction marker.
type Aborted struct {
	ProducerID  int64
	FirstOffset int64
}

// Decode decodes the batches of a fetch response and calls each with their records in order, from offset on, without transaction
// markers and aborted records. aborted are the aborted transactions of the fetch response in any order.
//
// It returns the next offset to fetch: the end of the last complete batch, or offset itself if there is none. A broker may
// truncate the last batch, and the first may begin before offset. Records share the memory of set unless they were compressed.
// The error is ErrCorrupt; each was called with the records before it.
func Decode(set []byte, offset int64, aborted []Aborted, each func(Record)) (next int64, err error) {
	f := newFilter(aborted)
	d := recordDecoder{names: make(names)}
	next = offset
	for {
		b, size, err := first(set)
		if err != nil {
			return next, err
		}
		if size == 0 {
			return next, nil
		}
		set = set[size:]
		if f.includes(b) && b.last() >= offset {
			if err := d.each(b, offset, each); err != nil {
				return next, err
			}
		}
		next = max(next, b.last()+1)
	}
}

// stored is a batch as stored by a broker.
type stored struct {
	bytes      []byte
	base       int64
	attributes uint16
	producer   int64
	epoch      int16
}

// first returns the first batch of a set and its size, 0 if it is not complete.
func first(set []byte) (b stored, size int, err error) {
	if len(set) < lengthIsAfter {
		return stored{}, 0, nil
	}
	length := int64(int32(binary.BigEndian.Uint32(set[atLength:])))
	if length < Overhead-lengthIsAfter {
		return stored{}, 0, fmt.Errorf("%w: invalid length of %d bytes", ErrCorrupt, length)
	}
	if length > int64(len(set)-lengthIsAfter) {
		return stored{}, 0, nil // truncated
	}
	size = int(length) + lengthIsAfter
	b.bytes = set[:size]
	b.base = int64(binary.BigEndian.Uint64(set))
	switch {
	case set[atMagic] != magic:
		return stored{}, 0, fmt.Errorf("%w: offset %d has format %d, only 2 (Kafka 0.11 and later) is supported", ErrCorrupt, b.base, set[atMagic])
	case binary.BigEndian.Uint32(set[atChecksum:]) != checksum(b.bytes[atAttributes:]):
		return stored{}, 0, fmt.Errorf("%w: wrong checksum at offset %d", ErrCorrupt, b.base)
	case b.base < 0 || b.lastDelta() < 0 || b.base+b.lastDelta() < b.base:
		return stored{}, 0, fmt.Errorf("%w: invalid base offset %d or last offset delta %d", ErrCorrupt, b.base, b.lastDelta())
	}
	b.attributes = binary.BigEndian.Uint16(set[atAttributes:])
	b.producer = int64(binary.BigEndian.Uint64(set[atProducerID:]))
	b.epoch = int16(binary.BigEndian.Uint16(set[atProducerEpoch:]))
	return b, size, nil
}

func (b stored) lastDelta() int64 {
	return int64(int32(binary.BigEndian.Uint32(b.bytes[atLastOffsetDelta:])))
}

func (b stored) last() int64 { return b.base + b.lastDelta() }

func (b stored) control() bool { return b.attributes&controlBit != 0 }

func (b stored) transactional() bool { return b.attributes&transactionalBit != 0 }

// recordDecoder decodes the records of batches.
type recordDecoder struct {
	scratch bytes.Buffer // for decompression
	names   names
	headers []Header // of the last records
}

// each calls each with the records of a batch from offset on.
func (d *recordDecoder) each(b stored, offset int64, each func(Record)) error {
	records := b.bytes[Overhead:]
	if codec := Codec(b.attributes & codecBits); codec != None {
		var err error
		if records, err = decompress(codec, records, &d.scratch); err != nil {
			return err
		}
	}
	r := reader{rest: records}
	firstTime := int64(binary.BigEndian.Uint64(b.bytes[atFirstTime:]))
	appended := int64(binary.BigEndian.Uint64(b.bytes[atMaxTime:]))
	for range int32(binary.BigEndian.Uint32(b.bytes[atCount:])) {
		one := reader{rest: r.bytes()}
		record := d.record(&one, b.base, firstTime)
		if r.bad || one.bad || record.Offset < b.base || record.Offset > b.last() {
			return fmt.Errorf("%w: invalid record in offsets %d to %d", ErrCorrupt, b.base, b.last())
		}
		if b.attributes&logAppendTimeBit != 0 {
			record.Time = appended
		}
		if record.Offset >= offset {
			each(record)
		}
	}
	return nil
}

func (d *recordDecoder) record(r *reader, base, firstTime int64) Record {
	_ = r.byte() // attributes, unused
	record := Record{Time: firstTime + r.varint(), Offset: base + r.varint()}
	record.Key, record.Value = r.bytes(), r.bytes()
	if headers := r.count(); headers > 0 {
		record.Headers = d.readHeaders(r, headers)
	}
	return record
}

// A block of headers is twice as large as the one before, up to a limit. A record with more headers than firstHeaders may have fewer
// than it claims, so that memory is allocated as they are decoded.
const firstHeaders, maxHeaders = 32, 512

func (d *recordDecoder) readHeaders(r *reader, n int) []Header {
	if cap(d.headers)-len(d.headers) < min(n, firstHeaders) {
		d.headers = make([]Header, 0, max(min(n, firstHeaders), min(2*cap(d.headers), maxHeaders)))
	}
	start := len(d.headers)
	for range n {
		if r.bad {
			break
		}
		d.headers = append(d.headers, Header{Key: d.names.name(r.bytes()), Value: r.bytes()})
	}
	return d.headers[start:len(d.headers):len(d.headers)]
}

// names are the keys of headers. The records of a topic have the same few, so they share the memory of them.
type names map[string]string

// maxNames limits the memory for headers whose keys all differ.
const maxNames = 100

func (n names) name(raw []byte) string {
	if known, ok := n[string(raw)]; ok {
		return known
	}
	name := string(raw)
	if len(n) < maxNames {
		n[name] = name
	}
	return name
}
