package batch

import "encoding/binary"

// reader decodes values. If a value is invalid or missing, bad is set, and that value and all later ones are zero.
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

// bytes returns nil for a length below zero. Appending to the result copies it.
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

// count returns the number of following elements, each of at least one byte.
func (r *reader) count() int {
	n := r.varint()
	if n < 0 || n > int64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}
