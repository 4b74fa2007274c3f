// Package parked keeps where raw records lie that wait for something about their customer, in order: their places, not their
// bytes.
package parked

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// RowsPrefix is how the keys of its rows begin:
//
//	parked/{store}/{customer}/{partition}/{offset}
const RowsPrefix = "parked/"

// Rows is where places are kept.
type Rows interface {
	Set(key, value []byte)
	Scan(prefix []byte) iter.Seq2[[]byte, []byte]
}

// Place is where a record lies. Customers are named store/customer.
type Place struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
	// Redrive are the headers of a record that an operator sent once more: where it lies it has none of them.
	Redrive map[string]string `json:"redrive,omitempty"`
}

// PlaceOf is where a record lies, with the headers of its redrive.
func PlaceOf(raw kafka.Record, redrive []kafka.Header) Place {
	p := Place{Partition: raw.Partition, Offset: raw.Offset}
	for _, h := range redrive {
		if p.Redrive == nil {
			p.Redrive = make(map[string]string)
		}
		p.Redrive[h.Key] = string(h.Value)
	}
	return p
}

func prefix(customer string) []byte { return []byte(RowsPrefix + customer + "/") }

func (p Place) key(customer string) []byte {
	return fmt.Appendf(prefix(customer), "%d/%020d", p.Partition, p.Offset)
}

// Keep writes the place's row.
func (p Place) Keep(rows Rows, customer string) error {
	row, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode place: %w", err)
	}
	rows.Set(p.key(customer), row)
	return nil
}

// Remove takes it out.
func (p Place) Remove(rows Rows, customer string) { rows.Set(p.key(customer), nil) }

// Read is the record that was found there, as it was when it was put aside.
func (p Place) Read(found kafka.Record) kafka.Record {
	found.Headers = slices.Clip(found.Headers)
	for _, key := range slices.Sorted(maps.Keys(p.Redrive)) {
		found.Headers = append(found.Headers, kafka.Header{Key: key, Value: []byte(p.Redrive[key])})
	}
	return found
}

// Any tells whether anything of a customer waits.
func Any(rows Rows, customer string) bool {
	for range rows.Scan(prefix(customer)) {
		return true
	}
	return false
}

// First are the first places of a customer in a partition, in order, so many at most; more says that these are not all. The
// rows of those that are lost don't say where they are, and are taken out.
func First(rows Rows, customer string, partition, most int) (waiting []Place, lost int, more bool) {
	for key, value := range rows.Scan(prefix(customer)) {
		if len(waiting)+lost == most {
			return waiting, lost, true
		}
		var p Place
		if !p.read(customer, key, value) || p.Partition != partition {
			rows.Set(key, nil)
			lost++
			continue
		}
		waiting = append(waiting, p)
	}
	return waiting, lost, false
}

// read reads a row. Its key is enough: of a value that makes no sense nothing is taken. ok is false for a key that no place
// has.
func (p *Place) read(customer string, key, value []byte) (ok bool) {
	if err := json.Unmarshal(value, p); err != nil {
		*p = Place{}
	}
	_, err := fmt.Sscanf(string(key[len(prefix(customer)):]), "%d/%d", &p.Partition, &p.Offset)
	return err == nil && p.Offset >= 0 && bytes.Equal(key, p.key(customer))
}

// Offsets are those of places.
func Offsets(places []Place) []int64 {
	offsets := make([]int64, len(places))
	for i, p := range places {
		offsets[i] = p.Offset
	}
	return offsets
}
