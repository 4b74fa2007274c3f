package state

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// advance periodically fetches the end of the changelog. The next transaction of each partition then moves its position to that
// end. It also flushes memory to disk, so that a copy with few changes does not become too old.
func (s *Store) advance(ctx context.Context) {
	fetching, flushing := time.NewTicker(s.config.AdvanceEvery), time.NewTicker(flushEvery)
	defer fetching.Stop()
	defer flushing.Stop()
	measuring := time.NewTicker(diskEvery)
	defer measuring.Stop()
	for {
		select {
		case <-measuring.C:
			s.measure()
		case <-fetching.C:
			s.fetchReach(ctx)
		case <-flushing.C:
			if s.disk.whileFull() == nil {
				s.flush()
			}
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) fetchReach(ctx context.Context) {
	began := s.config.Now()
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
	spans, err := s.reader.OffsetRanges(ctx, numbers...)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("fetch end of changelog failed, will retry", zap.Error(err))
		}
		return
	}
	for number, p := range owned {
		p.reaches(reach{end: spans[number].End, at: began})
	}
}

func (p *Partition) owned() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.ready
}

// reaches stores a fetched end, unless the partition was taken over since the request.
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
		s.log.Error("flush local state failed, a restart will read more of the changelog", zap.Error(err))
	}
}
