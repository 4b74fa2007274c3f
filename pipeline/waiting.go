package pipeline

import (
	"fmt"
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// note remembers what a partition waits for; nil when it goes on.
func (s *Stage) note(next kafka.Record, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	partition := next.Topic + "/" + strconv.Itoa(next.Partition)
	if s.waiting == nil {
		s.waiting = map[string]error{}
	}
	delete(s.waiting, partition)
	if why != nil {
		s.waiting[partition] = why
	}
	s.run.Metrics.Waiting(string(s.Role), s.Group, len(s.waiting))
}

// Assigned forgets what partitions waited for: they have been shared out anew.
// All of them wait when the process must stand idle.
func (s *Stage) Assigned(status kafka.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.waiting)
	waiting := 0
	if status.Idle != "" {
		for _, topic := range s.Topics {
			waiting += len(status.Partitions[topic])
		}
	}
	s.run.Metrics.Waiting(string(s.Role), s.Group, waiting)
}

// Trouble says what the stage waits for, nil when nothing waits.
func (s *Stage) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for partition, why := range s.waiting {
		return fmt.Errorf("%d partitions wait, one of them (%s) for: %w", len(s.waiting), partition, why)
	}
	return nil
}
