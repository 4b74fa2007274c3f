package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Setting is a row of recharge.settings. A kind that this version does not know is empty.
type Setting struct {
	Flow    *Flow
	Sending *Sending
	Import  *Import
	Segment *Segment
	Token   *Token
}

// Settings is recharge.settings, and the name of the transactional id that changes it.
type Settings struct {
	Topic[Setting]
	Writer string
}

// New returns the settings under a prefix of topics.
func New(prefix string) Settings {
	return Settings{
		Topic:  Topic[Setting]{Name: prefix + "recharge.settings", Decode: decode},
		Writer: prefix + "rechargeflow.settings",
	}
}

// The keys of rows. The current row of a flow has the key {store}/flow/{flow}, that of how a store sends {store}/sending, that
// of its last import {store}/import, that of a segment {store}/segment/{name}, that of an API token, which
// belongs to no store, /token/{id}. The same row for the history has /v/{version} at its end.
const (
	kindFlow    = "flow"
	kindSending = "sending"
	kindImport  = "import"
	kindSegment = "segment"
	kindToken   = "token"
	versionPart = "/v/"
)

func flowKey(store string, key flow.Key) string { return store + "/" + kindFlow + "/" + string(key) }

func sendingKey(store string) string { return store + "/" + kindSending }

func importKey(store string) string { return store + "/" + kindImport }

func segmentKey(store, name string) string { return store + "/" + kindSegment + "/" + name }

func tokenKey(id string) string { return "/" + kindToken + "/" + id }

func historyKey(current string, version int) string {
	return current + versionPart + strconv.Itoa(version)
}

// decode returns the row of a key; an empty one for a kind that this version does not know.
func decode(key string, value []byte) (Setting, error) {
	store, rest, _ := strings.Cut(key, "/")
	kind, _, _ := strings.Cut(rest, "/")
	if store == "" {
		kind = "/" + kind // of no store
	}
	switch kind {
	case kindFlow:
		f, err := decoded(key, value, func(f Flow) (string, int, error) { return flowKey(f.Store, f.Key), f.Version, nil })
		return Setting{Flow: f}, err
	case kindSending:
		s, err := decoded(key, value, func(s Sending) (string, int, error) { return sendingKey(s.Store), s.Version, s.Check() })
		return Setting{Sending: s}, err
	case kindImport:
		i, err := decoded(key, value, func(i Import) (string, int, error) { return importKey(i.Store), i.Version, nil })
		return Setting{Import: i}, err
	case kindSegment:
		s, err := decoded(key, value, func(s Segment) (string, int, error) { return segmentKey(s.Store, s.Name), s.Version, s.check() })
		return Setting{Segment: s}, err
	case "/" + kindToken:
		t, err := decoded(key, value, func(t Token) (string, int, error) { return tokenKey(t.ID), t.Version, t.check() })
		return Setting{Token: t}, err
	}
	return Setting{}, nil
}

// decoded decodes a row. check returns the key of the current row, its version, and what is wrong with it.
func decoded[R any](key string, value []byte, check func(R) (current string, version int, err error)) (*R, error) {
	var row R
	if err := json.Unmarshal(value, &row); err != nil {
		return nil, err
	}
	current, version, err := check(row)
	if err = cmp.Or(belongs(key, current, version), err); err != nil {
		return nil, err
	}
	return &row, nil
}

// belongs returns an error unless a key is that of a row, or of the row in the history.
func belongs(key, current string, version int) error {
	if version > 0 && (key == current || key == historyKey(current, version)) {
		return nil
	}
	return fmt.Errorf("the value is of %s, version %d", current, version)
}
