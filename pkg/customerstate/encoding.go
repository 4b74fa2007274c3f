package customerstate

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// version is the version of the rows that this build writes. Versions are below 32.
const version = 1

// The prefixes of keys, by kind of row.
const (
	customerRows     = "customer/"
	subscriptionRows = "subscription/"
	emittedRows      = "emitted/"
	parkedRows       = "parked/"
	lookupRows       = "lookup/"
	replayRows       = "replay/"
	ownerRows        = "owner/"
	formatRow        = "format"
)

// ErrNewerRows means that a newer version of rechargeflow wrote the rows.
var ErrNewerRows = errors.New("rows of a newer version of rechargeflow")

func newerError(found byte) error {
	return fmt.Errorf("%w: they have version %d, this build reads up to %d: run that version again, or a newer one", ErrNewerRows, found, version)
}

// Ref identifies a customer of a store. There is no state for a customer without an id.
type Ref struct {
	Store, CustomerID string
}

// Key returns the key of the customer's raw records.
func (r Ref) Key() string { return r.Store + "/" + r.CustomerID }

// key returns a row's key: prefix, store, customer and the rest.
func (r Ref) key(kind, rest string) []byte {
	key := make([]byte, 0, len(kind)+len(r.Store)+1+len(r.CustomerID)+len(rest))
	key = append(append(key, kind...), r.Store...)
	key = append(append(key, '/'), r.CustomerID...)
	return append(key, rest...)
}

// refOf splits a key into store, customer and the rest.
func refOf(key []byte, kind string) (ref Ref, rest string, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(string(key), kind), "/", 3)
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return Ref{}, "", false
	}
	if len(parts) == 3 {
		rest = parts[2]
	}
	return Ref{parts[0], parts[1]}, rest, true
}

// encoder encodes the JSON rows of one partition.
type encoder struct {
	buffer bytes.Buffer
	json   *json.Encoder
}

func newEncoder() *encoder {
	e := &encoder{}
	e.json = json.NewEncoder(&e.buffer)
	return e
}

func (e *encoder) encode(value any) ([]byte, error) {
	e.buffer.Reset()
	e.buffer.WriteByte(version)
	if err := e.json.Encode(value); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(e.buffer.Bytes(), []byte("\n"))), nil
}

var errUnreadable = errors.New("unknown row format")

// versionOf splits a row into its version and its body. The body of a version 0 row is JSON or text.
func versionOf(row []byte) (v byte, body []byte, err error) {
	switch {
	case len(row) == 0 || row[0] == 0:
		return 0, nil, errUnreadable
	case row[0] >= ' ':
		return 0, row, nil
	case row[0] > version:
		return row[0], nil, newerError(row[0])
	}
	return row[0], row[1:], nil
}

func decode(row []byte, value any) (v byte, err error) {
	v, body, err := versionOf(row)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(body, value)
}

func decodeCustomer(row []byte) (c subscriber.CustomerState, err error) {
	v, err := decode(row, &c)
	if err != nil || v > 0 {
		return c, err
	}
	var old struct {
		Flag *subscriber.ActiveProperty `json:"flag"`
	}
	_, err = decode(row, &old)
	c.ActiveProperty = old.Flag
	return c, err
}

func decodeSubscription(row []byte) (s subscriber.SubscriptionState, err error) {
	_, err = decode(row, &s)
	return s, err
}

func decodeLookup(row []byte) (r recharge.LookupRequest, err error) {
	v, err := decode(row, &r)
	if err != nil || v > 0 {
		return r, err
	}
	var old struct {
		Subscriptions []string `json:"subscriptions"`
		Spoilt        int      `json:"spoilt"`
	}
	_, err = decode(row, &old)
	r.SubscriptionIDs, r.BadAnswers = old.Subscriptions, old.Spoilt
	return r, err
}

// encodeEmitted encodes each fact in eight bytes.
func encodeEmitted(ids []uint64) []byte {
	row := append(make([]byte, 0, 1+8*len(ids)), version)
	for _, id := range ids {
		row = binary.BigEndian.AppendUint64(row, id)
	}
	return row
}

func decodeEmitted(row []byte) ([]uint64, error) {
	switch {
	case len(row)%8 == 0: // version 0
	case row[0] == version && len(row)%8 == 1:
		row = row[1:]
	case row[0] > version && row[0] < ' ':
		return nil, newerError(row[0])
	default:
		return nil, errUnreadable
	}
	ids := make([]uint64, len(row)/8)
	for i := range ids {
		ids[i] = binary.BigEndian.Uint64(row[8*i:])
	}
	return ids, nil
}
