package wire

import (
	"encoding/binary"
	"errors"
)

var errTruncated = errors.New("truncated response")

// reader decodes values of a response. Past its end, bad is set and all values are zero.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.bad = nil, true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// string returns "" for null.
func (r *reader) string() string {
	n := r.int16()
	if n <= 0 {
		return ""
	}
	return string(r.take(int(n)))
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.bad = nil, true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// compactString returns "" for null.
func (r *reader) compactString() string {
	n := r.uvarint()
	if n == 0 {
		return ""
	}
	return string(r.take(int(min(n-1, maxResponse))))
}

// bytes returns nil for null.
func (r *reader) bytes() []byte {
	n := r.int32()
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}

// array calls each for each element of an array; a null array is empty. Elements have at least one byte.
func (r *reader) array(each func()) {
	n := r.int32()
	if int(n) > len(r.rest) {
		r.rest, r.bad = nil, true
	}
	for range n {
		if r.bad {
			return
		}
		each()
	}
}

func (r *reader) err() error {
	if r.bad {
		return errTruncated
	}
	return nil
}
