package httplimit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Errors of Read.
var (
	// ErrTooLarge means that a body is larger than the limit of one.
	ErrTooLarge = errors.New("body is too large")
	// ErrNoMemory means that the budget is used up.
	ErrNoMemory = errors.New("bodies in memory have reached their limit")
	// ErrEvicted means that the connection was closed for a new one.
	ErrEvicted = errors.New("connections have reached their limit")
)

// firstBuffer is the first buffer of a body, which most bodies fit in.
const firstBuffer = 16 << 10

// Body is a body in memory.
type Body struct {
	Bytes []byte

	share *share
}

// Release returns the memory of a body to its budget. Call it when Bytes are not used any more.
func (b Body) Release() {
	if b.share != nil {
		b.share.release()
	}
}

// Read reads the body of a request, of at most limit bytes.
func (b *Budget) Read(w http.ResponseWriter, r *http.Request, limit int64) (Body, error) {
	if r.ContentLength > limit {
		return Body{}, ErrTooLarge
	}
	s := b.newShare(func() {
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // without it the next read ends the body
	})
	content, err := s.read(r, limit)
	if !s.complete() {
		err = ErrNoMemory
	}
	if !Answering(r.Context()) {
		err = ErrEvicted
	}
	if err != nil {
		s.release()
		return Body{}, err
	}
	return Body{Bytes: content, share: s}, nil
}

// read reads a body into a buffer that grows with it.
func (s *share) read(r *http.Request, limit int64) ([]byte, error) {
	most := limit + 1 // of the buffer: it has room until the end of the body is seen
	if r.ContentLength >= 0 {
		most = r.ContentLength + 1
	}
	buffer, err := s.extend(nil, min(most, firstBuffer))
	for err == nil {
		var n int
		n, err = r.Body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case int64(len(buffer)) > limit:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return buffer, nil
		case err != nil:
			return nil, fmt.Errorf("read body: %w", err)
		}
		size := int64(cap(buffer))
		if len(buffer) == cap(buffer) {
			size = min(2*size, most)
		}
		buffer, err = s.extend(buffer, size)
	}
	return nil, err
}

// extend returns a buffer of this capacity with the content of buffer.
func (s *share) extend(buffer []byte, size int64) ([]byte, error) {
	if !s.grow(size) {
		return nil, ErrNoMemory
	}
	if size == int64(cap(buffer)) {
		return buffer, nil
	}
	return append(make([]byte, 0, size), buffer...), nil
}
