package settings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Sending is how a store sends its texts, at one version.
type Sending struct {
	Store   string    `json:"store"`
	Version int       `json:"version"`     // from 1 on; 0 is the default, which has no row
	At      time.Time `json:"at,omitzero"` // when and by whom it was changed, zero and "" for version 0
	By      string    `json:"by,omitempty"`
	sending.Settings
}

// SendingOf returns how a store sends now. If that can't be read, and nothing earlier is known, its texts are paused: it may have been paused
// by somebody, or have longer quiet hours.
func SendingOf(rows *Rows[Setting], store string) Sending {
	if row, _ := rows.Get(sendingKey(store)); row.Sending != nil {
		return *row.Sending
	}
	s := Sending{Store: store, Settings: sending.Default()}
	s.Paused = !rows.readable(sendingKey(store))
	return s
}

// PausedBy returns the version of how a store sends since which any of its texts are paused, the current one if none are.
func PausedBy(rows *Rows[Setting], store string) Sending {
	since := SendingOf(rows, store)
	for _, version := range slices.Backward(SendingHistoryOf(rows, store)) {
		if !version.Paused && len(version.PausedFlows) == 0 {
			break
		}
		since = version
	}
	return since
}

// SendingHistoryOf returns all versions of how a store sends, from the default one to the current one.
func SendingHistoryOf(rows *Rows[Setting], store string) []Sending {
	versions := []Sending{{Store: store, Settings: sending.Default()}}
	for _, row := range rows.Prefix(sendingKey(store) + versionPart) {
		versions = append(versions, *row.Sending)
	}
	slices.SortFunc(versions, func(a, b Sending) int { return cmp.Compare(a.Version, b.Version) })
	return versions
}

// expect returns ErrVersion, wrapped with what was changed by whom, if a store does not send by a version; nil is any.
func (s Sending) expect(version *int) error {
	if version == nil || s.Version == *version {
		return nil
	}
	return fmt.Errorf("how store %s sends has version %d, by %s, not %d: %w", s.Store, s.Version, cmp.Or(s.By, "nobody"), *version, ErrVersion)
}

// SendingChange changes how stores send.
type SendingChange struct {
	Stores []string
	By     string
	At     time.Time
	// Version is the one that each store must have, else the error is ErrVersion; nil for any.
	Version *int
	// Decide changes how each of the stores sends. It may be called several times. Its error ends the change.
	Decide func(*sending.Settings) error
}

// ChangeSending writes what a change changes, for all stores or none. It returns how these stores send now, and fails if no text could be
// sent so.
func (s Settings) ChangeSending(ctx context.Context, cluster kafka.Cluster, c SendingChange) (changed []Sending, err error) {
	err = s.Change(ctx, cluster, s.Writer, func(rows *Rows[Setting]) (records []kafka.Record, err error) {
		if changed, err = c.plan(rows); err != nil {
			return nil, err
		}
		for _, each := range changed {
			written, err := s.records(schemas.SettingsSending, each.Store, sendingKey(each.Store), each.Version, each.At, each)
			if err != nil {
				return nil, err
			}
			records = append(records, written...)
		}
		return records, nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

func (c SendingChange) plan(rows *Rows[Setting]) (changed []Sending, err error) {
	for _, store := range c.Stores {
		before := SendingOf(rows, store)
		if err := before.expect(c.Version); err != nil {
			return nil, err
		}
		after := before
		after.PausedFlows = slices.Clone(before.PausedFlows)
		if err := errors.Join(c.Decide(&after.Settings), after.Check()); err != nil {
			return nil, fmt.Errorf("store %s: %w", store, err)
		}
		if reflect.DeepEqual(after, before) {
			continue
		}
		after.Version, after.At, after.By = before.Version+1, c.At.UTC(), c.By
		changed = append(changed, after)
	}
	return changed, nil
}
