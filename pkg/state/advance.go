package state

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// advance asks from time to time how far the changelog reaches: overlays that begin after the answer take the position
// there. It also has what is in memory written to the folder: a copy that was only ever changed in memory would be old one
// day.
func (s *Store) advance(ctx context.Context) {
	asking, flushing := time.NewTicker(s.config.AdvanceEvery), time.NewTicker(flushEvery)
	defer asking.Stop()
	defer flushing.Stop()
	for {
		select {
		case <-asking.C:
			s.askReach(ctx)
		case <-flushing.C:
			s.flush()
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) askReach(ctx context.Context) {
	asked := s.config.Now()
	owned := make(map[int]*Partition)
	var numbers []int
	for _, p := range s.all() {
		if p.owned() {
			owned[p.number] = p
			numbers = append(numbers, p.number)
		}
	}
	if len(numbers) == 0 {
		return
	}
	spans, err := s.reader.Spans(ctx, numbers...)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("ask how far state reaches, will again in time", zap.Error(err))
		}
		return
	}
	for number, p := range owned {
		p.reaches(reach{end: spans[number].End, at: asked})
	}
}

func (p *Partition) owned() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.ready
}

// reaches takes an answer, unless the partition was taken over since it was asked for.
func (p *Partition) reaches(r reach) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.ready && r.at.After(p.mark.At) {
		p.reach = r
	}
}

func (s *Store) flush() {
	s.using.RLock()
	defer s.using.RUnlock()
	if s.db == nil {
		return
	}
	if err := s.db.Flush(); err != nil {
		s.log.Error("write state to its folder", zap.Error(err))
	}
}
