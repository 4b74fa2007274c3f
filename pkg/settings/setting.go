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

func decode(key string, value []byte) (row Setting, err error) {
	store, rest, _ := strings.Cut(key, "/")
	kind, _, _ := strings.Cut(rest, "/")
	if store == "" {
		return decodeToken(key, kind, value)
	}
	switch kind {
	case kindFlow:
		row.Flow = &Flow{}
		if err = json.Unmarshal(value, row.Flow); err == nil {
			err = belongs(key, flowKey(row.Flow.Store, row.Flow.Key), row.Flow.Version)
		}
	case kindSending:
		row.Sending = &Sending{}
		if err = json.Unmarshal(value, row.Sending); err == nil {
			err = cmp.Or(belongs(key, sendingKey(row.Sending.Store), row.Sending.Version), row.Sending.Check())
		}
	case kindImport:
		row.Import = &Import{}
		if err = json.Unmarshal(value, row.Import); err == nil {
			err = belongs(key, importKey(row.Import.Store), row.Import.Version)
		}
	case kindSegment:
		row.Segment = &Segment{}
		if err = json.Unmarshal(value, row.Segment); err == nil {
			err = cmp.Or(belongs(key, segmentKey(row.Segment.Store, row.Segment.Name), row.Segment.Version), row.Segment.check())
		}
	}
	if err != nil {
		return Setting{}, err
	}
	return row, nil
}

// decodeToken decodes a row that belongs to no store.
func decodeToken(key, kind string, value []byte) (Setting, error) {
	if kind != kindToken {
		return Setting{}, nil
	}
	var t Token
	if err := json.Unmarshal(value, &t); err != nil {
		return Setting{}, err
	}
	if err := cmp.Or(belongs(key, tokenKey(t.ID), t.Version), t.check()); err != nil {
		return Setting{}, err
	}
	return Setting{Token: &t}, nil
}

// belongs returns an error unless a key is that of a row, or of the row in the history.
func belongs(key, current string, version int) error {
	if version > 0 && (key == current || key == historyKey(current, version)) {
		return nil
	}
	return fmt.Errorf("the value is of %s, version %d", current, version)
}
