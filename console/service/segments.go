package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Segment is a segment of a store.
type Segment struct {
	settings.Segment

	Conditions string `json:"conditions"` // the rule as text
}

// SaveSegment creates a segment, or gives it other conditions.
type SaveSegment struct {
	Name       string `json:"name"`
	Conditions string `json:"conditions"` // such as: received any in 30d and not clicked charge_failed
	Replace    bool   `json:"replace,omitempty"`
	// Version is the one that Replace is for: another one is a conflict.
	Version *int `json:"version,omitempty"`
}

// Segments returns the segments of a store by name.
func (s *Service) Segments(ctx context.Context, store string) ([]Segment, error) {
	all, err := s.segments(ctx, store)
	list := []Segment{}
	for _, each := range all {
		list = append(list, Segment{Segment: each, Conditions: each.Rule.String()})
	}
	return list, err
}

func (s *Service) segments(ctx context.Context, store string) ([]settings.Segment, error) {
	if _, err := s.store(store); err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return nil, err
	}
	return settings.SegmentsOf(rows, store), nil
}

// segment returns the segment that a text names or, if it has blanks, the conditions that it is.
func (s *Service) segment(ctx context.Context, store, text string) (settings.Segment, error) {
	all, err := s.segments(ctx, store)
	if err != nil {
		return settings.Segment{}, err
	}
	if strings.Contains(strings.TrimSpace(text), " ") {
		rule, err := segment.Parse(text)
		if err != nil {
			return settings.Segment{}, invalid("", "%s", err)
		}
		return settings.Segment{Store: store, Name: rule.String(), Rule: rule}, nil
	}
	var names []string
	for _, each := range all {
		if each.Name == text {
			return each, nil
		}
		names = append(names, each.Name)
	}
	if len(names) == 0 {
		return settings.Segment{}, fmt.Errorf("%w: store %s has no segments: create one first", ErrNotFound, store)
	}
	return settings.Segment{}, fmt.Errorf("%w: store %s has no segment %q; segments are %s", ErrNotFound, store, text, strings.Join(names, ", "))
}

// SaveSegment creates a segment, or gives it other conditions.
func (s *Service) SaveSegment(ctx context.Context, who, store string, change SaveSegment) (Segment, error) {
	if err := segment.CheckName(change.Name); err != nil {
		return Segment{}, invalid("name", "%s", err)
	}
	rule, err := segment.Parse(change.Conditions)
	if err != nil {
		return Segment{}, invalid("conditions", "%s", err)
	}
	if change.Replace && change.Version == nil {
		return Segment{}, invalid("version", "name the version that you have seen")
	}
	now, _, err := s.ChangeSegment(ctx, settings.SegmentChange{
		Store: store, Name: change.Name, By: who, Rule: rule, Replace: change.Replace, Version: change.Version,
	})
	return Segment{Segment: now, Conditions: now.Rule.String()}, err
}

// DeleteSegment deletes a segment. The next push sets its property to false for those who had it.
func (s *Service) DeleteSegment(ctx context.Context, who, store, name string, version int) error {
	all, err := s.segments(ctx, store)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(each settings.Segment) bool { return each.Name == name }) {
		return fmt.Errorf("%w: store %s has no segment %s", ErrNotFound, store, name)
	}
	_, _, err = s.ChangeSegment(ctx, settings.SegmentChange{Store: store, Name: name, By: who, Delete: true, Version: &version})
	if errors.Is(err, settings.ErrSegment) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// ChangeSegment writes a change, and returns whether it changed anything. An error that wraps settings.ErrSegment is ErrConflict: the segment exists
// already, or there is none to delete.
func (s *Service) ChangeSegment(ctx context.Context, change settings.SegmentChange) (settings.Segment, bool, error) {
	if _, err := s.store(change.Store); err != nil {
		return settings.Segment{}, false, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return settings.Segment{}, false, err
	}
	change.At = s.cfg.Now()
	now, changed, err := s.cfg.Settings.ChangeSegment(ctx, s.cfg.Cluster, change)
	done()
	switch {
	case errors.Is(err, settings.ErrSegment) && !change.Delete:
		return now, false, fmt.Errorf("%w: %w", ErrConflict, err)
	case errors.Is(err, settings.ErrSegment):
		return now, false, err
	case err != nil:
		return now, false, changeError(err)
	}
	if changed {
		s.awaitRow(ctx, func(rows *settings.Rows[settings.Setting]) bool {
			return settings.SegmentOf(rows, change.Store, change.Name).Version >= now.Version
		})
	}
	return now, changed, nil
}
