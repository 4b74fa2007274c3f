package customerstate

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Parked is the position in recharge.webhooks of a record that waits for a lookup. The record itself is not copied.
type Parked struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
	// Redrive holds the headers of a redriven record, which the record in recharge.webhooks lacks.
	Redrive map[string]string `json:"redrive,omitempty"`
}

// Park parks a record with its redrive headers, and requests a lookup of its customer unless the customer is known.
func (tx *Tx) Park(ref Ref, raw kafka.Record, redrive []kafka.Header, r recharge.LookupRequest) error {
	p := Parked{Partition: raw.Partition, Offset: raw.Offset}
	for _, h := range redrive {
		if p.Redrive == nil {
			p.Redrive = make(map[string]string)
		}
		p.Redrive[h.Key] = string(h.Value)
	}
	if err := tx.setJSON(p.key(ref), p); err != nil {
		return fmt.Errorf("encode parked record: %w", err)
	}
	tx.parked = nil
	if tx.replaying(ref) {
		return nil
	}
	return tx.RequestLookup(r)
}

// HasParked reports whether records of a customer are parked: later ones are parked behind them. Mostly the whole partition has
// none, which is looked up once per transaction.
func (tx *Tx) HasParked(ref Ref) bool {
	if ref.CustomerID == "" {
		return false
	}
	if tx.parked == nil {
		some := tx.any([]byte(parkedRows))
		tx.parked = &some
	}
	return *tx.parked && tx.any(ref.key(parkedRows, "/"))
}

func (p Parked) key(ref Ref) []byte { return ParkedKey(ref, p.Partition, p.Offset) }

// ParkedKey returns the key in recharge.state of a parked record at a position in recharge.webhooks. There is a row while it is parked.
func ParkedKey(ref Ref, partition int, offset int64) []byte {
	return ref.key(parkedRows, fmt.Sprintf("/%d/%020d", partition, offset))
}

// record returns the record as it was when it was parked, given the record read from its position.
func (p Parked) record(found kafka.Record) kafka.Record {
	found.Headers = slices.Clip(found.Headers)
	for _, key := range slices.Sorted(maps.Keys(p.Redrive)) {
		found.Headers = append(found.Headers, kafka.Header{Key: key, Value: []byte(p.Redrive[key])})
	}
	return found
}

// firstParked returns the first parked records of a customer, at most limit, and whether there are more. A row whose key is not
// a position in this partition is removed and counted as lost.
func (tx *Tx) firstParked(ref Ref, limit int) (parked []Parked, lost int, more bool, err error) {
	for key, row := range tx.scan(ref.key(parkedRows, "/")) {
		if len(parked)+lost == limit {
			return parked, lost, true, nil
		}
		p, ok, err := decodeParked(ref, key, row)
		switch {
		case err != nil:
			return nil, 0, false, err
		case !ok || p.Partition != tx.partition.number:
			tx.set(key, nil)
			lost++
		default:
			parked = append(parked, p)
		}
	}
	return parked, lost, false, nil
}

// decodeParked decodes a row. If its value can't be decoded, its key is enough; ok is false if the key is not a position.
func decodeParked(ref Ref, key, row []byte) (p Parked, ok bool, err error) {
	if err := decode(row, &p); errors.Is(err, ErrNewerRows) {
		return Parked{}, false, fmt.Errorf("decode row %s: %w", key, err)
	} else if err != nil {
		p = Parked{}
	}
	_, err = fmt.Sscanf(string(bytes.TrimPrefix(key, ref.key(parkedRows, "/"))), "%d/%d", &p.Partition, &p.Offset)
	return p, err == nil && p.Offset >= 0 && bytes.Equal(key, p.key(ref)), nil
}
