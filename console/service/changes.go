package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// rows returns the settings as they are now.
func (s *Service) rows(ctx context.Context) (*settings.Rows[settings.Setting], error) {
	if s.cfg.Flows == nil {
		rows, err := s.cfg.Settings.Read(ctx, s.cfg.Cluster)
		if err != nil {
			return nil, unavailable(err)
		}
		if err := rows.Unreadable(); err != nil && s.cfg.Unreadable != nil {
			s.cfg.Unreadable(err)
		}
		return rows, nil
	}
	if !s.cfg.Flows.IsReady() {
		return nil, fmt.Errorf("%w: the settings are still being read", ErrUnavailable)
	}
	return s.cfg.Flows.Rows(), nil
}

// seenWithin is how long a change waits until this process has read it.
const seenWithin = 3 * time.Second

// await waits until this process has read a change that was written, so that who made it sees it. What is not read in time is read later.
func (s *Service) await(ctx context.Context, seen func() bool) {
	ctx, cancel := context.WithTimeout(ctx, seenWithin)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !seen() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// awaitRow waits until the table of settings has what was written.
func (s *Service) awaitRow(ctx context.Context, seen func(*settings.Rows[settings.Setting]) bool) {
	if s.cfg.Flows != nil {
		s.await(ctx, func() bool { return seen(s.cfg.Flows.Rows()) })
	}
}

// alone waits until no other change of this process is written: they would fence each other. It returns what ends that.
func (s *Service) alone(ctx context.Context) (func(), error) {
	if err := s.reach(ctx); err != nil {
		return nil, err
	}
	select {
	case s.jobs.changing <- struct{}{}:
		return func() { <-s.jobs.changing }, nil
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
}

// write runs what writes a change while no other change of this process is written. Waiting until it is read is for afterwards.
func (s *Service) write(ctx context.Context, change func() error) error {
	done, err := s.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	return change()
}

// unavailable wraps an error of brokers; nil stays nil.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// faulty returns the faults of flows that flowedit found.
func faulty(err error) *InvalidError {
	var found *flowedit.FaultsError
	if !errors.As(err, &found) {
		return &InvalidError{Faults: []Fault{{Problem: err.Error()}}}
	}
	return &InvalidError{Faults: faultsOf(found.Faults())}
}

func faultsOf(faults []flow.Fault) []Fault {
	list := []Fault{}
	for _, f := range faults {
		list = append(list, Fault(f))
	}
	return list
}

// changeError returns the error of a change of settings.
func changeError(err error) error {
	var faults *flowedit.FaultsError
	var version *flowedit.VersionError
	var given *InvalidError
	switch {
	case err == nil, errors.As(err, &given):
		return err
	case errors.As(err, &faults):
		return faulty(err)
	case errors.As(err, &version):
		return invalid("to", "%s", err)
	case errors.Is(err, settings.ErrVersion):
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case errors.Is(err, sending.ErrInvalid), errors.Is(err, segment.ErrRule), errors.Is(err, settings.ErrSegment):
		return invalid("", "%s", err)
	}
	return unavailable(err)
}

// SaveFlow changes a flow, if it has no fault afterwards.
func (s *Service) SaveFlow(ctx context.Context, who, store string, key flow.Key, change SaveFlow) (SavedFlow, error) {
	if change.IsEmpty() {
		return SavedFlow{}, invalid("", "nothing to change: name what to change")
	}
	return s.changeFlow(ctx, who, store, key, change.Version, func(f *settings.Flow) error {
		f.Define(change.Apply(f.Definition()))
		return nil
	})
}

// SetActive activates or deactivates a flow.
func (s *Service) SetActive(ctx context.Context, who, store string, key flow.Key, change SetActive) (SavedFlow, error) {
	return s.changeFlow(ctx, who, store, key, change.Version, func(f *settings.Flow) error {
		f.Active = change.Active
		return nil
	})
}

// RestoreFlow restores everything of an earlier version but whether the flow is active: nobody has seen what activating it would send.
func (s *Service) RestoreFlow(ctx context.Context, who, store string, key flow.Key, change RestoreFlow) (SavedFlow, error) {
	found, err := s.flowOf(store, key)
	if err != nil {
		return SavedFlow{}, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return SavedFlow{}, err
	}
	earlier, err := found.editor().Version(rows, key, change.To)
	if err != nil {
		return SavedFlow{}, changeError(err)
	}
	return s.changeFlow(ctx, who, store, key, change.Version, func(f *settings.Flow) error {
		flowedit.Restore(f, earlier)
		return nil
	})
}

// changeFlow changes a flow that has a version.
func (s *Service) changeFlow(ctx context.Context, who, store string, key flow.Key, version int, decide func(*settings.Flow) error) (SavedFlow, error) {
	found, err := s.flowOf(store, key)
	if err != nil {
		return SavedFlow{}, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return SavedFlow{}, err
	}
	var now settings.Flow
	changed, err := s.cfg.Settings.ChangeFlows(ctx, s.cfg.Cluster, settings.FlowChange{
		Store: store, By: who, At: s.cfg.Now(), Decide: found.editor().Valid(func(flows []settings.Flow) error {
			f := &flows[flowedit.IndexOf(flows, key)]
			if err := f.Expect(version); err != nil {
				return err
			}
			err := decide(f)
			now = *f
			return err
		}),
	})
	done()
	if err != nil {
		return SavedFlow{}, changeError(err)
	}
	saved := SavedFlow{Flow: now, Changed: len(changed) > 0}
	if saved.Changed {
		saved.Flow = changed[0]
		s.awaitRow(ctx, func(rows *settings.Rows[settings.Setting]) bool {
			flows, err := settings.FlowsOf(rows, store)
			return err != nil || flows[flowedit.IndexOf(flows, key)].Version >= saved.Flow.Version
		})
	}
	saved.Warnings = faultsOf(flowedit.Warnings(saved.Flow))
	return saved, nil
}

// FlowHistory returns all versions, newest first, each with what it changed.
func (s *Service) FlowHistory(ctx context.Context, store string, key flow.Key) ([]FlowVersion, error) {
	if _, err := s.flowOf(store, key); err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := settings.HistoryOf(rows, store, key)
	if err != nil {
		return nil, err
	}
	list := make([]FlowVersion, len(versions))
	for i, f := range versions {
		version := FlowVersion{Flow: f, Changes: []string{}}
		if i > 0 {
			version.Changes = append(version.Changes, flowedit.Differences(versions[i-1], f)...)
		}
		list[len(versions)-1-i] = version
	}
	return list, nil
}

// FlowDiff returns what differs between two versions of a flow.
func (s *Service) FlowDiff(ctx context.Context, store string, key flow.Key, from, to int) (FlowDiff, error) {
	found, err := s.flowOf(store, key)
	if err != nil {
		return FlowDiff{}, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return FlowDiff{}, err
	}
	d := FlowDiff{Changes: []string{}}
	for _, each := range []struct {
		version int
		to      *settings.Flow
	}{{from, &d.From}, {to, &d.To}} {
		if *each.to, err = found.editor().Version(rows, key, each.version); err != nil {
			return FlowDiff{}, fmt.Errorf("%w: %w", ErrNotFound, err)
		}
	}
	d.Changes = append(d.Changes, flowedit.Differences(d.From, d.To)...)
	d.Unified, err = flowedit.Diff(d.From, d.To)
	return d, err
}
