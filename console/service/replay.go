package service

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// ReplayRequest selects dead letters to be sent to their roles again; empty fields select all.
type ReplayRequest struct {
	Role   string    `json:"role,omitempty"`
	Store  string    `json:"store,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Key    string    `json:"key,omitempty"` // of the record, such as acme/246936001
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	// Names selects single letters.
	Names []string `json:"names,omitempty"`
	// Again includes those that were sent before.
	Again bool `json:"again,omitempty"`
	// Confirm is how many CountReplay has found: another number is a conflict.
	Confirm int `json:"confirm,omitempty"`
}

// ReplayCount is what a replay would send.
type ReplayCount struct {
	Letters int `json:"letters"`
	Skipped int `json:"skipped"` // sent before
	// Seconds is how long the replay takes at its rate.
	Seconds float64 `json:"seconds"`
}

// Replay is a replay that runs, or has ended.
type Replay struct {
	ID      string    `json:"id"`
	By      string    `json:"by"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Letters int       `json:"letters"`
	Sent    int       `json:"sent"`
	Error   string    `json:"error,omitempty"`
}

const (
	// defaultReplayRate is how many letters a replay sends in a second, like the command.
	defaultReplayRate = 50
	keptReplays       = 20
)

// replays are the replays of this process, one at a time.
type replays struct {
	mutex   sync.Mutex
	all     []*Replay // the oldest first
	running bool
}

// producer is a function that writes records.
type producer func(ctx context.Context, records ...kafka.Record) error

// Produce is part of deadletter.Producer.
func (p producer) Produce(ctx context.Context, records ...kafka.Record) error {
	return p(ctx, records...)
}

func (s *Service) sender(again bool) deadletter.Replay {
	return deadletter.Replay{Cluster: s.cfg.Cluster, Producer: producer(s.cfg.Produce), Rate: s.replayRate(), Again: again}
}

func (s *Service) replayRate() float64 {
	if s.cfg.ReplayRate > 0 {
		return s.cfg.ReplayRate
	}
	return defaultReplayRate
}

// selection is the dead letters of one role.
type selection struct {
	topics deadletter.Topics
	filter deadletter.Filter
	count  deadletter.Count
}

// selected returns what a request selects, by role.
func (s *Service) selected(request ReplayRequest) ([]selection, error) {
	if err := s.checkLetters(request.Role, request.Store); err != nil {
		return nil, err
	}
	named := map[topology.Role]map[deadletter.Position]bool{}
	for _, name := range request.Names {
		role, at, err := parseLetter(name)
		if err != nil {
			return nil, err
		}
		if named[role] == nil {
			named[role] = map[deadletter.Position]bool{}
		}
		named[role][at] = true
	}
	var all []selection
	for _, role := range topology.Consumers() {
		if request.Role != "" && request.Role != string(role) || len(named) > 0 && named[role] == nil {
			continue
		}
		all = append(all, selection{
			topics: deadletter.Topics{Letters: s.cfg.Topics.DeadLetters(role), Redrive: s.cfg.Topics.Redrive(role)},
			filter: deadletter.Filter{Store: request.Store, Reason: request.Reason, Key: request.Key, Since: request.Since, Until: request.Until, Positions: named[role]},
		})
	}
	return all, nil
}

// count counts what a request selects.
func (s *Service) count(ctx context.Context, request ReplayRequest) ([]selection, ReplayCount, error) {
	all, err := s.selected(request)
	if err != nil {
		return nil, ReplayCount{}, err
	}
	if request.Confirm < 0 {
		return nil, ReplayCount{}, invalid("confirm", "is %d, must be the number that was counted", request.Confirm)
	}
	done, err := s.scan(ctx)
	if err != nil {
		return nil, ReplayCount{}, err
	}
	defer done()
	var total ReplayCount
	for i := range all {
		if all[i].count, err = s.sender(request.Again).Count(ctx, all[i].topics, all[i].filter, nil); err != nil {
			return nil, total, unreached("count dead letters", err)
		}
		total.Letters, total.Skipped = total.Letters+len(all[i].count.Positions), total.Skipped+all[i].count.Skipped
	}
	total.Seconds = float64(total.Letters) / s.replayRate()
	return all, total, nil
}

// CountReplay counts what Replay would send.
func (s *Service) CountReplay(ctx context.Context, request ReplayRequest) (ReplayCount, error) {
	_, count, err := s.count(ctx, request)
	return count, err
}

// Replay begins to send dead letters to their roles again, at a limited rate. The request confirms how many there are.
func (s *Service) Replay(ctx context.Context, who string, request ReplayRequest) (Replay, error) {
	all, count, err := s.count(ctx, request)
	switch {
	case err != nil:
		return Replay{}, err
	case count.Letters == 0:
		return Replay{}, fmt.Errorf("%w: no dead letter is to be sent", ErrConflict)
	case count.Letters != request.Confirm:
		return Replay{}, fmt.Errorf("%w: the number of dead letters is %d now, and %d was confirmed", ErrConflict, count.Letters, request.Confirm)
	}
	r := &s.jobs.replays
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.running {
		return Replay{}, fmt.Errorf("%w: another replay runs", ErrConflict)
	}
	job, err := s.jobs.begin(request.Store)
	if err != nil {
		return Replay{}, err
	}
	began := s.cfg.Now()
	replay := &Replay{ID: strconv.FormatInt(began.UnixMilli(), 10), By: who, Began: began, Letters: count.Letters}
	if r.all = append(r.all, replay); len(r.all) > keptReplays {
		r.all = r.all[1:]
	}
	r.running = true
	go s.replay(job, replay, all, request.Again)
	s.cfg.Log.Info("replay of dead letters began", zap.String("by", who), zap.Int("letters", count.Letters), zap.String("store", request.Store), zap.String("reason", request.Reason))
	return *replay, nil
}

// replay sends what was counted.
func (s *Service) replay(job job, replay *Replay, all []selection, again bool) {
	defer job.done()
	r := &s.jobs.replays
	var err error
	for _, each := range all {
		sent := func(deadletter.Found) {
			r.mutex.Lock()
			defer r.mutex.Unlock()
			replay.Sent++
		}
		if err = s.sender(again).Run(job.ctx, each.topics, each.filter, each.count, sent); err != nil {
			break
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.running, replay.Ended = false, s.cfg.Now()
	fields := []zap.Field{zap.String("by", replay.By), zap.Int("letters", replay.Letters), zap.Int("sent", replay.Sent)}
	switch {
	case err != nil && job.ctx.Err() != nil:
		cause := context.Cause(job.ctx)
		replay.Error = cause.Error() + "; the next replay sends the others"
		s.cfg.Log.Warn("replay of dead letters interrupted, the next replay sends the others", append(fields, zap.Error(cause))...)
	case err != nil:
		replay.Error = mask.Text(err.Error())
		s.cfg.Log.Error("replay of dead letters failed", append(fields, zap.Error(err))...)
	default:
		s.cfg.Log.Info("replay of dead letters ended", fields...)
	}
}

// Replays lists the replays of this process, the newest first.
func (s *Service) Replays(context.Context) ([]Replay, error) {
	r := &s.jobs.replays
	r.mutex.Lock()
	defer r.mutex.Unlock()
	all := make([]Replay, 0, len(r.all))
	for _, each := range r.all {
		all = append(all, *each)
	}
	slices.Reverse(all)
	return all, nil
}
