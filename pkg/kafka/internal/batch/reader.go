package batch

import "encoding/binary"

// reader takes values off the front of bytes. Once they end, or make no sense, bad is set and all it returns is zero.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() { r.rest, r.bad = nil, true }

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) varint() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// bytes is nil for a length below zero. What it returns can't be appended to without being copied.
func (r *reader) bytes() []byte {
	n := r.varint()
	switch {
	case n < 0 || r.bad:
		return nil
	case n > int64(len(r.rest)):
		r.fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// count is a number of things that have at least a byte each.
func (r *reader) count() int {
	n := r.varint()
	if n < 0 || n > int64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}
