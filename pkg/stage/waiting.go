package stage

import (
	"fmt"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// waiting is why the next record of a partition waits, and since when.
type waiting struct {
	why   error
	since time.Time
}

// wait records why the partition of the next record waits; nil means that it does not wait. When it continues, a log line says
// so.
func (s *Stage) wait(next kafka.Record, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	partition := next.Topic + "/" + strconv.Itoa(next.Partition)
	if s.waiting == nil {
		s.waiting = map[string]waiting{}
	}
	before, waited := s.waiting[partition]
	delete(s.waiting, partition)
	switch {
	case why != nil && waited:
		s.waiting[partition] = waiting{why: why, since: before.since}
	case why != nil:
		s.waiting[partition] = waiting{why: why, since: s.Run.Now()}
	case waited:
		s.Run.Log.Info("partition continues", zap.String("role", s.Role), zap.String("group", s.Group),
			zap.String("topic", next.Topic), zap.Int("partition", next.Partition), zap.Duration("waited", s.Run.Now().Sub(before.since)))
	}
	s.Run.Metrics.Waiting(s.Role, s.Group, len(s.waiting))
}

// Assigned resets the waiting partitions after a rebalance.
func (s *Stage) Assigned(kafka.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.waiting)
	s.Run.Metrics.Waiting(s.Role, s.Group, 0)
}

// Trouble returns why a partition waits, nil if none waits.
func (s *Stage) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for partition, w := range s.waiting {
		return fmt.Errorf("%d partitions are waiting, for example %s: %w", len(s.waiting), partition, w.why)
	}
	return nil
}
