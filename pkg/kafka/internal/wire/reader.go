package wire

import (
	"encoding/binary"
	"errors"
)

var errShort = errors.New("the broker's answer ends too early")

// reader takes values off the front of an answer. Once it ends bad is set, and all that is returned is zero.
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

// string is "" for null too.
func (r *reader) string() string {
	n := r.int16()
	if n <= 0 {
		return ""
	}
	return string(r.take(int(n)))
}

// bytes is nil for null.
func (r *reader) bytes() []byte {
	n := r.int32()
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}

// array calls each as often as the array that follows is long; a null array is empty. Its elements have a byte at least.
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
		return errShort
	}
	return nil
}
