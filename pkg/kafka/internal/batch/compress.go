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

// compressTo appends compressed records to out.
func compressTo(out *bytes.Buffer, codec Codec, records []byte) error {
	known := codec.Codec()
	if known == nil {
		return fmt.Errorf("unknown codec %d", codec)
	}
	writer := known.NewWriter(out)
	if _, err := writer.Write(records); err != nil {
		_ = writer.Close() // returns the encoder to its pool
		return err
	}
	return writer.Close()
}

// decompress decompresses records, in the memory of scratch. The result is a copy that is not larger than the records: its size is not
// known before.
func decompress(codec Codec, packed []byte, scratch *bytes.Buffer) (records []byte, err error) {
	known := codec.Codec()
	if known == nil {
		return nil, fmt.Errorf("%w: codec %d is unknown", ErrCorrupt, codec)
	}
	reader := known.NewReader(bytes.NewReader(packed))
	defer reader.Close() //nolint:errcheck // reads from memory
	scratch.Reset()
	scratch.Grow(4 * len(packed))
	n, err := scratch.ReadFrom(io.LimitReader(reader, maxDecompressed+1))
	if err != nil {
		return nil, fmt.Errorf("%w: decompress %s: %w", ErrCorrupt, codec, err)
	}
	if n > maxDecompressed {
		return nil, fmt.Errorf("%w: decompressed it exceeds %d bytes", ErrCorrupt, maxDecompressed)
	}
	return bytes.Clone(scratch.Bytes()), nil
}
