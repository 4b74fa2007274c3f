package settings

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Segment is a segment of a store at one version.
type Segment struct {
	Store   string    `json:"store"`
	Name    string    `json:"name"`
	Version int       `json:"version"` // from 1 on, one more with each change
	At      time.Time `json:"at"`      // when and by whom it was changed
	By      string    `json:"by,omitempty"`

	Rule    segment.Rule `json:"rule"`
	Deleted bool         `json:"deleted,omitempty"`
}

func (s Segment) check() error { return errors.Join(segment.CheckName(s.Name), s.Rule.Check()) }

// SegmentsOf returns the segments of a store by name, without deleted ones.
func SegmentsOf(rows *Rows[Setting], store string) (all []Segment) {
	for key, row := range rows.Prefix(store + "/" + kindSegment + "/") {
		if row.Segment != nil && !row.Segment.Deleted && !strings.Contains(key, versionPart) {
			all = append(all, *row.Segment)
		}
	}
	return all
}

// SegmentOf returns a segment of a store; version 0 means that there never was one. It may be deleted.
func SegmentOf(rows *Rows[Setting], store, name string) Segment {
	if row, _ := rows.Get(segmentKey(store, name)); row.Segment != nil {
		return *row.Segment
	}
	return Segment{Store: store, Name: name}
}

// ErrSegment means that a segment can't be changed so.
var ErrSegment = errors.New("segment was not changed")

// SegmentChange creates, replaces or deletes a segment.
type SegmentChange struct {
	Store, Name string
	By          string
	At          time.Time
	// Rule is the new rule. Delete deletes the segment instead.
	Rule   segment.Rule
	Delete bool
	// Replace lets Rule replace another one.
	Replace bool
	// Version is the one that the change is made for, 0 for a segment that there never was; nil for any.
	Version *int
}

// ChangeSegment writes a change. It returns the segment, and whether it was changed. The error wraps ErrSegment if the segment exists already, or if there
// is none to delete, and segment.ErrRule if the rule or the name is not valid.
// It wraps ErrVersion if the segment has another version.
func (s Settings) ChangeSegment(ctx context.Context, cluster kafka.Cluster, c SegmentChange) (now Segment, changed bool, err error) {
	err = s.Change(ctx, cluster, s.Writer, func(rows *Rows[Setting]) ([]kafka.Record, error) {
		before := SegmentOf(rows, c.Store, c.Name)
		if now, err = c.apply(before); err != nil {
			return nil, err
		}
		if changed = now.Version != before.Version; !changed {
			return nil, nil
		}
		return s.records(schemas.SettingsSegment, now.Store, segmentKey(now.Store, now.Name), now.Version, now.At, now)
	})
	return now, changed, err
}

// expect returns ErrVersion, wrapped, if the segment has not the version that the change is made for.
func (c SegmentChange) expect(before Segment) error {
	if c.Version == nil || *c.Version == before.Version {
		return nil
	}
	return fmt.Errorf("segment %s of store %s has version %d, not %d: %w", c.Name, c.Store, before.Version, *c.Version, ErrVersion)
}

// apply returns the segment after the change, with the same version if nothing changes.
func (c SegmentChange) apply(before Segment) (Segment, error) {
	if err := c.expect(before); err != nil {
		return before, err
	}
	exists := before.Version > 0 && !before.Deleted
	after := before
	after.Version, after.At, after.By = before.Version+1, c.At.UTC(), c.By
	if c.Delete {
		if !exists {
			return before, fmt.Errorf("%w: store %s has no segment %s", ErrSegment, c.Store, c.Name)
		}
		after.Deleted = true
		return after, nil
	}
	after.Rule, after.Deleted = c.Rule, false
	switch err := after.check(); {
	case err != nil:
		return before, err
	case exists && reflect.DeepEqual(before.Rule, c.Rule):
		return before, nil
	case exists && !c.Replace:
		return before, fmt.Errorf("%w: segment %s of store %s exists, and is: %s", ErrSegment, c.Name, c.Store, before.Rule)
	}
	return after, nil
}
