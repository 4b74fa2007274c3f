package customerstate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// version is the version of the rows that this build writes. Versions are below 32.
const version = 1

// The prefixes of keys, by kind of row.
const (
	chargeOwnerRows  = "charge-owner/"
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

// appender is a value that appends itself as JSON.
type appender interface {
	AppendJSON(b []byte) ([]byte, error)
}

// codec encodes and decodes the JSON rows of one partition.
type codec struct {
	buffer        []byte
	states        *jsonread.Decoder[subscriber.State]
	decoded       decodedStates
	subscriptions *jsonread.Decoder[subscriber.SubscriptionState]
	owners        *jsonread.Decoder[subscriber.OwnerState]
}

func newCodec() *codec {
	return &codec{
		states:        jsonread.NewDecoder[subscriber.State](),
		decoded:       make(decodedStates),
		subscriptions: jsonread.NewDecoder[subscriber.SubscriptionState](),
		owners:        jsonread.NewDecoder[subscriber.OwnerState](),
	}
}

func (c *codec) encode(value appender) ([]byte, error) {
	row, err := value.AppendJSON(append(c.buffer[:0], version))
	if err != nil {
		return nil, err
	}
	c.buffer = row
	return bytes.Clone(row), nil
}

func (c *codec) decodeState(key, row []byte, to *subscriber.State) error {
	kept := false
	if *to, kept = c.decoded.get(key, row); kept {
		return nil
	}
	*to = subscriber.State{}
	if err := decodeBy(c.states, row, to); err != nil {
		return fmt.Errorf("decode row %s: %w", key, err)
	}
	c.decoded.keep(key, row, *to)
	return nil
}

var errUnreadable = errors.New("unknown row format")

// bodyOf returns a row without its version.
func bodyOf(row []byte) ([]byte, error) {
	switch {
	case len(row) == 0 || row[0] < version || row[0] >= ' ':
		return nil, errUnreadable
	case row[0] > version:
		return nil, newerError(row[0])
	}
	return row[1:], nil
}

func decode(row []byte, value any) error {
	body, err := bodyOf(row)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, value)
}

// decodeBy decodes the row of a type that is read often.
func decodeBy[T any](decoder *jsonread.Decoder[T], row []byte, to *T) error {
	body, err := bodyOf(row)
	if err != nil {
		return err
	}
	return decoder.Decode(body, to)
}

func decodeEmitted(row []byte) (subscriber.ShortIDs, error) {
	body, err := bodyOf(row)
	if err != nil {
		return nil, err
	}
	return subscriber.ReadShortIDs(body)
}
