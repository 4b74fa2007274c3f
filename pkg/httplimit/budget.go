package httplimit

import (
	"container/list"
	"sync"
)

// Budget limits the bytes of request bodies that a process has in memory. A body takes its share as its bytes arrive, whatever length
// its header claims. At the limit, the body that has waited longest for bytes is given up. If none waits, because each is complete and
// being handled, the newest is.
type Budget struct {
	limit int64

	mutex   sync.Mutex
	used    int64
	waiting *list.List // of *share: bodies that are not complete, those that have waited longest for bytes first
}

// NewBudget limits the bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, waiting: list.New()} }

// Used returns the bytes in memory.
func (b *Budget) Used() int64 {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.used
}

// share is what one body takes. The mutex of budget guards it.
type share struct {
	budget    *Budget
	size      int64
	element   *list.Element // in budget.waiting; nil once the body is complete or given up
	interrupt func()        // ends a read that waits for bytes
	givenUp   bool
}

// newShare returns the share of a body that has not been read yet.
func (b *Budget) newShare(interrupt func()) *share {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	s := &share{budget: b, interrupt: interrupt}
	s.element = b.waiting.PushBack(s)
	return s
}

// grow sets the size of a share whose body has got bytes. It returns false if the body must be given up.
func (s *share) grow(size int64) bool {
	b := s.budget
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if s.givenUp {
		return false
	}
	b.waiting.MoveToBack(s.element)
	for b.used+size-s.size > b.limit {
		longest := b.waiting.Front().Value.(*share) //nolint:forcetypeassert // the list holds nothing else
		if longest == s {                           // the only one that waits
			return false
		}
		longest.giveUp()
	}
	b.used += size - s.size
	s.size = size
	return true
}

// giveUp takes the memory of a body that waits for bytes. The mutex is held.
func (s *share) giveUp() {
	s.givenUp = true
	s.remove()
	s.interrupt()
}

// remove returns the memory of a share. The mutex is held.
func (s *share) remove() {
	s.budget.used -= s.size
	s.size = 0
	s.stopWaiting()
}

func (s *share) stopWaiting() {
	if s.element != nil {
		s.budget.waiting.Remove(s.element)
		s.element = nil
	}
}

// complete keeps the memory of a body that is complete. It returns false if it has been given up.
func (s *share) complete() bool {
	s.budget.mutex.Lock()
	defer s.budget.mutex.Unlock()
	s.stopWaiting()
	return !s.givenUp
}

func (s *share) release() {
	s.budget.mutex.Lock()
	defer s.budget.mutex.Unlock()
	s.remove()
}
