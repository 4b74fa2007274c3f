package kafka

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// Compression is how batches are compressed; the zero value leaves them as they are.
type Compression struct{ batch batch.Codec }

// compressFrom is how many bytes a batch must have to be worth it.
const compressFrom = 1 << 10

// ParseCompression understands none, gzip, snappy, lz4 and zstd.
func ParseCompression(name string) (Compression, error) {
	var codec batch.Codec
	switch name {
	case "none", "gzip", "snappy", "lz4", "zstd":
		_ = codec.UnmarshalText([]byte(name)) // knows them all
		return Compression{codec}, nil
	}
	return Compression{}, fmt.Errorf("compression %q is none of none, gzip, snappy, lz4, zstd", name)
}

func (c Compression) codec() batch.Codec { return c.batch }
