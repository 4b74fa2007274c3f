package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Overview is the first page of a store.
type Overview struct {
	Store string `json:"store"`
	// Connected means that the checks were made, and none has failed.
	Connected bool    `json:"connected"`
	Checks    []Check `json:"checks"`
	// CheckedAt is when the checks were made; zero while the first ones are.
	CheckedAt time.Time `json:"checked_at,omitzero"`
	// Events and Texts are what happened in each of the last 24 hours, the oldest first.
	Events []Hour `json:"events"`
	Texts  []Hour `json:"texts"`
	// LagSeconds is the age of the oldest record that a group of the store has not processed; nil if the brokers did not say it soon.
	LagSeconds *float64 `json:"lag_seconds,omitempty"`
	// Waiting is what waits, with the reason: texts planned, texts of unknown outcome.
	Waiting []Waiting `json:"waiting"`
	// DeadLetters is how many dead letters of the store were not sent again.
	DeadLetters int     `json:"dead_letters"`
	Reading     Reading `json:"reading"`
	// RecentEvents are the newest events and facts, as Live brings them, and RecentTexts the texts that changed last: ten of each, newest first.
	RecentEvents []Live    `json:"recent_events"`
	RecentTexts  []TextRow `json:"recent_texts"`
}

// Check is a row of doctor.
type Check struct {
	Store  string `json:"store,omitempty"`
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warning, failed
	Found  string `json:"found"`
	Cure   string `json:"cure,omitempty"`
}

// Hour is how many there were in an hour.
type Hour struct {
	Begins time.Time `json:"begins"`
	Count  int       `json:"count"`
}

// Waiting is how many texts wait, and for what.
type Waiting struct {
	For   string    `json:"for"` // release, paused, resolution
	Count int       `json:"count"`
	Next  time.Time `json:"next,omitzero"` // of release: the first
}

// Reading is how far the console has read the topics.
type Reading struct {
	CaughtUp bool `json:"caught_up"`
	// LagSeconds is how long ago the console knew the ends of all topics: large if brokers do not answer. Part from 0 to 1 is how much of the topics was read.
	LagSeconds float64 `json:"lag_seconds"`
	Part       float64 `json:"part"`
	// Trouble is why reading fails; "" if it does not.
	Trouble string `json:"trouble,omitempty"`
}

const (
	recentRows = 10
	shownHours = 24
	// lagWithin limits how long the overview waits for the lag.
	lagWithin = time.Second
)

// Overview returns whether a store is connected, and what happened in the last 24 hours.
func (s *Service) Overview(ctx context.Context, store string) (Overview, error) {
	if err := s.known(store); err != nil {
		return Overview{}, err
	}
	o := Overview{Store: store, Reading: s.reading()}
	o.Checks, o.CheckedAt = s.checks(ctx, store)
	o.Connected = !o.CheckedAt.IsZero() && !slices.ContainsFunc(o.Checks, func(c Check) bool { return c.Status == "failed" })
	o.LagSeconds = s.lagOf(ctx, store)
	if err := s.counted(ctx, &o); err != nil {
		return o, err
	}
	return o, s.recent(ctx, &o)
}

// Reading returns how far the console has read.
func (s *Service) Reading(context.Context) (Reading, error) { return s.reading(), nil }

// reading returns how far the console has read.
func (s *Service) reading() Reading {
	p := s.cfg.Model.Progress()
	r := Reading{CaughtUp: p.CaughtUp, Part: 1, Trouble: mask.Text(p.Trouble)}
	if all := p.Read + p.Behind; all > 0 && p.Behind > 0 {
		r.Part = float64(p.Read) / float64(all)
	}
	if !p.LookedAt.IsZero() {
		r.LagSeconds = max(0, s.cfg.Now().Sub(p.LookedAt).Seconds())
	}
	return r
}

// counted adds the numbers of the last 24 hours.
func (s *Service) counted(ctx context.Context, o *Overview) error {
	first := s.cfg.Now().UTC().Truncate(time.Hour).Add(-(shownHours - 1) * time.Hour)
	hours, err := s.cfg.Model.Hours(ctx, o.Store, first)
	if err != nil {
		return ofModel("hours", err)
	}
	found, err := s.cfg.Model.Overview(ctx, o.Store, first)
	if err != nil {
		return ofModel("overview", err)
	}
	counts := map[time.Time]readmodel.Hour{}
	for _, h := range hours {
		counts[h.Begins.UTC()] = h
	}
	for i := range shownHours {
		begins := first.Add(time.Duration(i) * time.Hour)
		o.Events = append(o.Events, Hour{Begins: begins, Count: int(counts[begins].Events)})
		o.Texts = append(o.Texts, Hour{Begins: begins, Count: int(counts[begins].Texts)})
	}
	o.DeadLetters, o.Waiting = int(found.OpenDeadLetters), s.waiting(o.Store, found)
	return nil
}

// waiting returns what waits in a store.
func (s *Service) waiting(store string, found readmodel.Overview) []Waiting {
	all := []Waiting{}
	if found.Waiting > 0 {
		w := Waiting{For: "release", Count: int(found.Waiting), Next: found.NextRelease}
		if s.cfg.Flows != nil && settings.SendingOf(s.cfg.Flows.Rows(), store).Paused {
			w = Waiting{For: "paused", Count: w.Count}
		}
		all = append(all, w)
	}
	if found.Unknown > 0 {
		all = append(all, Waiting{For: "resolution", Count: int(found.Unknown)})
	}
	return all
}

// recent adds the newest events and texts.
func (s *Service) recent(ctx context.Context, o *Overview) error {
	events, err := s.cfg.Model.Events(ctx, readmodel.EventFilter{Store: o.Store, Facts: true, Limit: recentRows})
	if err != nil {
		return ofModel("events", err)
	}
	o.RecentEvents = []Live{}
	for _, e := range events.Rows {
		o.RecentEvents = append(o.RecentEvents, liveEvent(e))
	}
	texts, err := s.cfg.Model.Texts(ctx, readmodel.TextFilter{Store: o.Store, Limit: recentRows})
	o.RecentTexts = textRows(texts.Rows, false)
	return ofModel("texts", err)
}

// lagOf returns the age of the oldest record that a group of a store has not processed, nil if it is not available soon.
func (s *Service) lagOf(ctx context.Context, store string) *float64 {
	ctx, cancel := context.WithTimeout(ctx, lagWithin)
	defer cancel()
	p, err := s.Pipeline(ctx)
	if err != nil {
		return nil
	}
	seconds := 0.0
	for _, g := range p.Groups {
		if g.Store != "" && g.Store != store {
			continue
		}
		if g.Error != "" {
			return nil
		}
		seconds = max(seconds, g.LagSeconds)
	}
	return &seconds
}

const (
	// checkEvery is how old the checks of a store may be: they call other systems.
	checkEvery = time.Minute
	// firstCheckWithin is how long the first request waits for them.
	firstCheckWithin = 2 * time.Second
)

// checks are the last checks of each store.
type checks struct {
	mutex sync.Mutex
	rows  map[string]*checked

	ctx     context.Context //nolint:containedctx // checks go on after the request that had them made
	cancel  context.CancelFunc
	working sync.WaitGroup
}

func newChecks() *checks {
	c := &checks{rows: map[string]*checked{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// stop ends the checks that are made. There are none afterwards.
func (c *checks) stop() {
	c.mutex.Lock()
	c.cancel()
	c.mutex.Unlock()
	c.working.Wait()
}

type checked struct {
	at      time.Time
	rows    []Check
	running chan struct{} // closed when the checks that are made have ended; nil if none are
}

// checks returns the last checks of a store, and has others made if these are old.
func (s *Service) checks(ctx context.Context, store string) ([]Check, time.Time) {
	last, running := s.lastChecks(store)
	if !last.at.IsZero() || running == nil {
		return last.rows, last.at
	}
	timer := time.NewTimer(firstCheckWithin)
	defer timer.Stop()
	select {
	case <-running:
	case <-timer.C:
	case <-ctx.Done():
	}
	last, _ = s.lastChecks(store)
	return last.rows, last.at
}

// lastChecks returns what was found last, and what is closed when the checks that are made now have ended.
func (s *Service) lastChecks(store string) (checked, <-chan struct{}) {
	c := s.checking
	c.mutex.Lock()
	defer c.mutex.Unlock()
	of := c.rows[store]
	if of == nil {
		of = &checked{rows: []Check{}}
		c.rows[store] = of
	}
	if of.running == nil && s.cfg.Now().Sub(of.at) >= checkEvery && c.ctx.Err() == nil {
		of.running = make(chan struct{})
		c.working.Go(func() { s.check(store, of) })
	}
	return *of, of.running
}

// check makes the checks of a store.
func (s *Service) check(store string, of *checked) {
	c := s.checking
	rows := append([]Check{}, s.cfg.Checks(c.ctx, store)...)
	for i := range rows {
		rows[i].Found, rows[i].Cure = mask.Text(rows[i].Found), mask.Text(rows[i].Cure)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.ctx.Err() == nil {
		of.at, of.rows = s.cfg.Now(), rows
	}
	close(of.running)
	of.running = nil
}
