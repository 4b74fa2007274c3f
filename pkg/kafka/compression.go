package kafka

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// Compression is the compression of batches; the zero value is none.
type Compression struct{ batch batch.Codec }

// compressFrom is the smallest batch that is compressed, in bytes.
const compressFrom = 1 << 10

// ParseCompression parses none, gzip, snappy, lz4 or zstd.
func ParseCompression(name string) (Compression, error) {
	var codec batch.Codec
	switch name {
	case "none", "gzip", "snappy", "lz4", "zstd":
		_ = codec.UnmarshalText([]byte(name)) // knows all of them
		return Compression{codec}, nil
	}
	return Compression{}, fmt.Errorf("compression is %q, must be none, gzip, snappy, lz4 or zstd", name)
}

func (c Compression) codec() batch.Codec { return c.batch }
