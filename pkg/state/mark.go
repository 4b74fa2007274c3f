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

// mark says what the copy of a partition is a copy of, and up to where. It is written in one batch with rows.
type mark struct {
	// Cluster is the id of the brokers' cluster. Origin is the random id that the changelog has at OriginOffset: another
	// partition of the same name has another.
	Cluster      string `json:"cluster"`
	Origin       string `json:"origin"`
	OriginOffset int64  `json:"origin_offset"`
	// Offset is the position: all rows before it are in the copy. Rows from it on may be, and are read again.
	Offset int64 `json:"offset"`
	// At is when Offset was the end, or earlier: tombstones behind Offset are younger.
	At time.Time `json:"at"`
	// Count is that of the last transaction in the copy; Counted that of the last before Offset. Where the changelog has
	// none from Count on behind Offset, the copy is ahead of it.
	Count   uint64 `json:"count"`
	Counted uint64 `json:"counted"`
}

// learn takes a reserved row of the changelog.
func (m *mark) learn(r kafka.Record) error {
	switch string(r.Key) {
	case originKey:
		m.Origin, m.OriginOffset = string(r.Value), r.Offset
	case countKey:
		count, err := strconv.ParseUint(string(r.Value), 10, 64)
		if err != nil {
			return fmt.Errorf("record %d is no count of transactions: %w", r.Offset, err)
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
		return mark{}, false, fmt.Errorf("read what the local copy is: %w", err)
	}
	err = errors.Join(json.Unmarshal(value, &m), closer.Close())
	if err != nil {
		return mark{}, false, fmt.Errorf("read what the local copy is: %w", err)
	}
	return m, true, nil
}

// write commits a batch with the mark that holds after it.
func (p *Partition) write(batch *pebble.Batch, m mark) error {
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode mark: %w", err)
	}
	if err := batch.Set(p.local([]byte(markKey)), value, nil); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
