package batch

import (
	"bytes"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/compress"
)

// Codec is how a batch's records are compressed.
type Codec = compress.Compression

// None leaves records as they are.
const None = compress.None

// maxUnpacked is the most bytes that a batch may have once unpacked: brokers take a megabyte of packed ones by default, and
// JSON is seldom packed below a fiftieth.
const maxUnpacked = 128 << 20

// pack compresses records.
func pack(codec Codec, records []byte) (packed []byte, err error) {
	known := codec.Codec()
	if known == nil {
		return nil, fmt.Errorf("codec %d is unknown", codec)
	}
	var out bytes.Buffer
	out.Grow(len(records) / 2)
	writer := known.NewWriter(&out)
	if _, err := writer.Write(records); err != nil {
		_ = writer.Close() // gives the encoder back
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack(codec Codec, packed []byte) (records []byte, err error) {
	known := codec.Codec()
	if known == nil {
		return nil, fmt.Errorf("%w: codec %d is unknown", ErrCorrupt, codec)
	}
	reader := known.NewReader(bytes.NewReader(packed))
	defer reader.Close() //nolint:errcheck // reads from memory
	var out bytes.Buffer
	out.Grow(4 * len(packed))
	n, err := out.ReadFrom(io.LimitReader(reader, maxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("%w: unpack %s: %w", ErrCorrupt, codec, err)
	}
	if n > maxUnpacked {
		return nil, fmt.Errorf("%w: unpacked it has more than %d bytes", ErrCorrupt, maxUnpacked)
	}
	return out.Bytes(), nil
}
