package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// The rows of a partition:
//
//	message/{store}/{customer}/{id}                    the message, JSON
//	due/{store}/{class}/{millis}/{customer}/{id}       planned messages by release time: class 0 fresh, 1 deferred
//	held/{store}/{flow}/{millis}/{customer}/{id}       planned messages that are due, of paused flows
//	lease/{millis}/{store}/{customer}/{id}             claimed messages by the end of their claim
//	ended/{millis}/{store}/{customer}/{id}             other messages by their end
//	links/{millis}/{store}/{customer}/{id}             messages with short links by the end of these, besides one of the above
//	opt-out/{store}/{customer}                         how many texts the customer has got since the last one that said how to opt out
//
// Each value begins with a byte, the version of its encoding.
const rowVersion = 1

// errVersion means that a newer process has written the row.
var errVersion = errors.New("written by a newer version: run that version, or delete the local state and its topic")

func decode(key, value []byte) (*Message, error) {
	if len(value) == 0 || value[0] != rowVersion {
		return nil, fmt.Errorf("read row %s: %w", key, errVersion)
	}
	m := &Message{}
	if err := json.Unmarshal(value[1:], m); err != nil {
		return nil, fmt.Errorf("read row %s: %w", key, err)
	}
	return m, nil
}

func messagePrefix(store, customer string) []byte {
	return []byte("message/" + store + "/" + customer + "/")
}

func messageKey(store, customer, id string) []byte {
	return append(messagePrefix(store, customer), id...)
}

// entries returns the keys of a message in the indexes.
func entries(m *Message) [][]byte {
	keys := [][]byte{entryOf(m)}
	if len(m.Links) > 0 {
		keys = append(keys, []byte(linksIndex+millis(m.LinksEnd)+"/"+place(m)))
	}
	return keys
}

// entryOf returns the key of a message in the index of its status.
func entryOf(m *Message) []byte {
	switch {
	case m.held():
		return append(heldPrefix(m.Store, m.Flow), millis(m.ReleaseAt)+"/"+m.CustomerID+"/"+m.ID...)
	case m.Status == Planned:
		return append(duePrefix(m.Store, m.Deferred), millis(m.ReleaseAt)+"/"+m.CustomerID+"/"+m.ID...)
	case m.Status == Claimed:
		return []byte("lease/" + millis(m.Lease) + "/" + place(m))
	default:
		return []byte("ended/" + millis(m.EndedAt) + "/" + place(m))
	}
}

// linksIndex is the prefix of the index of short links.
const linksIndex = "links/"

func place(m *Message) string { return m.Store + "/" + m.CustomerID + "/" + m.ID }

func duePrefix(store string, deferred bool) []byte {
	class := "0/"
	if deferred {
		class = "1/"
	}
	return []byte("due/" + store + "/" + class)
}

const heldIndex = "held/"

func heldPrefix(store string, key flow.Key) []byte {
	return []byte(heldIndex + store + "/" + string(key) + "/")
}

// millis is a time in milliseconds since 1970, in a form whose order is that of the times.
func millis(t time.Time) string { return fmt.Sprintf("%019d", max(0, t.UnixMilli())) }

// entry is a key of an index.
type entry struct {
	key                 []byte
	at                  time.Time
	store, customer, id string
}

// parse parses the parts of a key after its prefix: millis and place.
func parse(key []byte, prefix, store string) (e entry, err error) {
	parts := strings.Split(strings.TrimPrefix(string(key), prefix), "/")
	if store != "" && len(parts) == 3 {
		parts = []string{parts[0], store, parts[1], parts[2]}
	}
	if len(parts) != 4 {
		return e, fmt.Errorf("malformed index key %s", key)
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return e, fmt.Errorf("malformed index key %s: %w", key, err)
	}
	return entry{key: key, at: time.UnixMilli(at), store: parts[1], customer: parts[2], id: parts[3]}, nil
}
