package batch

import (
	"bytes"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/compress"
)

// Codec is the compression of a batch.
type Codec = compress.Compression

// None is no compression.
const None = compress.None

// maxDecompressed limits the decompressed size of a batch. Brokers accept a megabyte of compressed records by default, and JSON
// is rarely compressed below a fiftieth.
const maxDecompressed = 128 << 20

// compressRecords compresses records.
func compressRecords(codec Codec, records []byte) (packed []byte, err error) {
	known := codec.Codec()
	if known == nil {
		return nil, fmt.Errorf("unknown codec %d", codec)
	}
	var out bytes.Buffer
	out.Grow(len(records) / 2)
	writer := known.NewWriter(&out)
	if _, err := writer.Write(records); err != nil {
		_ = writer.Close() // returns the encoder to its pool
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// decompress decompresses records.
func decompress(codec Codec, packed []byte) (records []byte, err error) {
	known := codec.Codec()
	if known == nil {
		return nil, fmt.Errorf("%w: codec %d is unknown", ErrCorrupt, codec)
	}
	reader := known.NewReader(bytes.NewReader(packed))
	defer reader.Close() //nolint:errcheck // reads from memory
	var out bytes.Buffer
	out.Grow(4 * len(packed))
	n, err := out.ReadFrom(io.LimitReader(reader, maxDecompressed+1))
	if err != nil {
		return nil, fmt.Errorf("%w: decompress %s: %w", ErrCorrupt, codec, err)
	}
	if n > maxDecompressed {
		return nil, fmt.Errorf("%w: decompressed it exceeds %d bytes", ErrCorrupt, maxDecompressed)
	}
	return out.Bytes(), nil
}
