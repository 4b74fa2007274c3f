package sender

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Lease is how long a claim lasts for a driver whose calls end within a timeout: a call begins within 15 s, and as long is left to write
// its receipt. A driver that looks up texts may make a second call.
func Lease(timeout time.Duration, abilities sms.Abilities) time.Duration {
	if abilities.LooksUp {
		timeout *= 2
	}
	return BeginWithin + timeout + BeginWithin
}

// BeginWithin is the longest time between claim and call. Later the text is given back as not sent.
const BeginWithin = 15 * time.Second

// Text is a claimed text.
type Text struct {
	// Partition is that of the claim. Its receipt goes to the same one.
	Partition int
	Claim     message.Message
	SMS       sms.Message
}

// Metrics counts and times texts.
type Metrics interface {
	// Paused sets whether a store is paused because everything is refused.
	Paused(role, store string, paused bool)
	// EndToEnd observes the time from the arrival of a webhook until the provider has its text.
	EndToEnd(role, store string, took time.Duration, traceparent string)
}

// Lane is how the texts of one store are sent.
type Lane struct {
	Driver    sms.Driver
	Abilities sms.Abilities
	AtOnce    int // texts in flight
}

// Config configures a Sender. Lanes, Write, Metrics, Log and Now are required.
type Config struct {
	// Role is the label of metrics and log lines.
	Role  string
	Lanes map[string]Lane // by store
	// Write writes the receipt of a text to recharge.sms-receipts. It returns when every in-sync replica has it.
	Write   func(ctx context.Context, t Text, r message.Receipt) error
	Metrics Metrics
	Log     *zap.Logger
	// Now must return times with a monotonic clock reading, as time.Now does: a claim's deadline is checked by both clocks.
	Now func() time.Time
	// Go runs a call; nil means in a goroutine of its own.
	Go func(call func())
	// Paused reports whether the texts of a flow are held; nil for never.
	Paused func(store string, key flow.Key) bool
	// OptedOut writes that the number of a text has opted out at the provider, which refused it with a code; nil for none.
	OptedOut func(ctx context.Context, t Text, code string) error
	// Claims is needed with the embedded broker only; nil for none.
	Claims *Claims
	// FaultPoint is called with the names of steps; nil for none.
	FaultPoint func(name string)
}

// Sender sends the texts of all stores of a process. It is safe for concurrent use.
type Sender struct {
	config Config
	lanes  map[string]*lane

	calls    sync.WaitGroup
	ctx      context.Context // of writing receipts; ends when Close gives up
	giveUp   context.CancelFunc
	mutex    sync.Mutex
	closing  bool
	reserved map[int]map[string]int // by partition and store
}

// New returns a Sender.
func New(config Config) *Sender {
	if config.Go == nil {
		config.Go = func(call func()) { go call() }
	}
	if config.FaultPoint == nil {
		config.FaultPoint = func(string) {}
	}
	if config.Paused == nil {
		config.Paused = func(string, flow.Key) bool { return false }
	}
	s := &Sender{config: config, lanes: map[string]*lane{}, reserved: map[int]map[string]int{}}
	s.ctx, s.giveUp = context.WithCancel(context.Background())
	for store, l := range config.Lanes {
		s.lanes[store] = newLane(store, l, config)
	}
	return s
}

// Reserve reserves room for texts that a transaction of a partition is to claim for a store, and returns for how many. Release ends the
// reservations of a partition.
func (s *Sender) Reserve(partition int, store string, texts int) int {
	l, found := s.lanes[store]
	if !found || s.isClosing() {
		return 0
	}
	n := l.reserve(texts)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.reserved[partition] == nil {
		s.reserved[partition] = map[string]int{}
	}
	s.reserved[partition][store] += n
	return n
}

// Release gives back what was reserved for a partition: its transaction has ended, or will never end.
func (s *Sender) Release(partition int) {
	s.mutex.Lock()
	reserved := s.reserved[partition]
	delete(s.reserved, partition)
	s.mutex.Unlock()
	for store, n := range reserved {
		s.lanes[store].giveBack(n)
	}
}

// Send sends a text whose claim was committed in a transaction that has reserved room for it. It does not wait for the call.
func (s *Sender) Send(text Text) {
	l, found := s.lanes[text.Claim.Store]
	if !found { // the store was reserved, so it has one
		return
	}
	stopped := s.begin(l, text)
	s.config.Go(func() {
		defer s.calls.Done()
		defer l.release(1)
		s.send(l, text, stopped)
	})
}

// begin counts a call, which has the place that was reserved for it. It reports whether the process stops.
func (s *Sender) begin(l *lane, text Text) (stopped bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if reserved := s.reserved[text.Partition]; reserved[text.Claim.Store] > 0 {
		reserved[text.Claim.Store]--
	} else {
		l.take()
	}
	s.calls.Add(1)
	return s.closing
}

func (s *Sender) isClosing() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.closing
}

// Trouble returns why texts of a store are not sent, nil if all are.
func (s *Sender) Trouble() error {
	var stores []string
	for store, l := range s.lanes {
		if err := l.trouble(); err != nil {
			stores = append(stores, fmt.Sprintf("%s: %v", store, err))
		}
	}
	if len(stores) == 0 {
		return nil
	}
	slices.Sort(stores)
	return fmt.Errorf("texts of %d stores wait, for example %s", len(stores), stores[0])
}

// Close waits for the calls in progress and their receipts, until ctx ends. Texts whose receipts are not written then become unknown when
// their claims end. Texts that are given to Send from now on are not sent, and their receipts say so.
func (s *Sender) Close(ctx context.Context) error {
	s.mutex.Lock()
	s.closing = true
	s.mutex.Unlock()
	defer s.giveUp()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.calls.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("texts were still being sent: without a receipt they become unknown")
	}
}
