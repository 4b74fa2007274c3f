package envelope

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Arena is the memory of the records that a transaction writes. They share few allocations, and the last of them frees it. The
// zero value is ready; it is not used again after the transaction.
type Arena struct {
	bytes   []byte
	headers []kafka.Header // of the last record
	block   int            // the size of the last block of bytes
}

// A block has room for one record at least, unless its value is large. Each block is twice as large as the one before, up to a
// limit: a transaction of one webhook takes little memory.
const (
	minBlock, maxBlock = 8 << 10, 64 << 10
	perRecord          = 1 << 10 // on average
	maxPerRecord       = 4 << 10
	headersPerRecord   = 15
)

// reserve makes room for one more record.
func (a *Arena) reserve() {
	if cap(a.bytes)-len(a.bytes) < maxPerRecord {
		a.block = min(max(2*a.block, minBlock), maxBlock)
		a.bytes = make([]byte, 0, a.block)
	}
	if cap(a.headers)-len(a.headers) < headersPerRecord {
		a.headers = make([]kafka.Header, 0, a.block/perRecord*headersPerRecord)
	}
}

// since returns what was written since a position.
func (a *Arena) since(start int) []byte { return a.bytes[start:len(a.bytes):len(a.bytes)] }

func (a *Arena) text(parts ...string) []byte {
	start := len(a.bytes)
	for _, part := range parts {
		a.bytes = append(a.bytes, part...)
	}
	return a.since(start)
}

func (a *Arena) number(n int64) []byte {
	start := len(a.bytes)
	a.bytes = strconv.AppendInt(a.bytes, n, 10)
	return a.since(start)
}

func (a *Arena) time(at time.Time) []byte {
	start := len(a.bytes)
	a.bytes = at.UTC().AppendFormat(a.bytes, time.RFC3339Nano)
	return a.since(start)
}

func (a *Arena) urn(subject string) []byte {
	start := len(a.bytes)
	a.bytes = schemas.AppendURN(a.bytes, subject)
	return a.since(start)
}

// encode encodes a value as JSON, and nil as a tombstone.
func (a *Arena) encode(value any) ([]byte, error) {
	v, ok := value.(Appender)
	if !ok {
		return Encode(value)
	}
	start := len(a.bytes)
	appended, err := v.AppendJSON(a.bytes)
	if err != nil {
		return nil, err
	}
	a.bytes = appended
	return a.since(start), nil
}
