package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// mark identifies the changelog of a partition's copy, and the position up to which it was read. It is written in one batch
// with rows.
type mark struct {
	// Cluster is the id of the Kafka cluster. Origin is a random id, written to the changelog at OriginOffset. It differs if
	// the topic was deleted and created again.
	Cluster      string `json:"cluster"`
	Origin       string `json:"origin"`
	OriginOffset int64  `json:"origin_offset"`
	// Offset is the position: the copy has all rows before it. Rows from it on may be in the copy too, and are read again.
	Offset int64 `json:"offset"`
	// At is a time at which Offset was the end of the changelog, or earlier: tombstones from Offset on were written after it.
	At time.Time `json:"at"`
	// Count is the transaction count of the last transaction in the copy, Counted that of the last one before Offset. If the
	// changelog has no count from Count on after Offset, the copy is ahead of it.
	Count   uint64 `json:"count"`
	Counted uint64 `json:"counted"`
}

// apply applies a reserved row of the changelog.
func (m *mark) apply(r kafka.Record) error {
	switch string(r.Key) {
	case originKey:
		m.Origin, m.OriginOffset = string(r.Value), r.Offset
	case countKey:
		count, err := strconv.ParseUint(string(r.Value), 10, 64)
		if err != nil {
			return fmt.Errorf("decode transaction count at offset %d: %w", r.Offset, err)
		}
		m.Counted = count
	}
	return nil
}

func (m mark) ahead() bool { return m.Counted < m.Count }

func (p *Partition) readMark() (m mark, found bool, err error) {
	value, closer, err := p.store.db.Get(p.local([]byte(markKey)))
	if errors.Is(err, pebble.ErrNotFound) {
		return mark{}, false, nil
	}
	if err != nil {
		return mark{}, false, fmt.Errorf("read position of local copy: %w", err)
	}
	err = errors.Join(json.Unmarshal(value, &m), closer.Close())
	if err != nil {
		return mark{}, false, fmt.Errorf("read position of local copy: %w", err)
	}
	return m, true, nil
}

// write commits a batch together with the new mark.
func (p *Partition) write(batch *pebble.Batch, m mark) error {
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode position of local copy: %w", err)
	}
	if err := batch.Set(p.local([]byte(markKey)), value, nil); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
