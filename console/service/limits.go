package service

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const (
	// maxScans is how many requests read whole topics at the same time: the process may be the one that answers Recharge.
	maxScans = 2
	// scanWait is how long a request waits for its turn.
	scanWait = 5 * time.Second
)

// NewScans returns what limits the requests of a process that read whole topics.
func NewScans() *semaphore.Weighted { return semaphore.NewWeighted(maxScans) }

// reachWithin is how long brokers may take to answer before what needs them is refused: reading and writing topics is tried for half a minute.
const reachWithin = 5 * time.Second

// pings has the last question whether brokers answer.
type pings struct {
	mutex sync.Mutex
	last  *ping
}

// ping is a question whether brokers answer, for all who wait for it. What follows done is known when done is closed.
type ping struct {
	done chan struct{}
	at   time.Time
	err  error
}

func (p *ping) isOld(now time.Time) bool {
	select {
	case <-p.done:
		age := now.Sub(p.at)
		return age < 0 || age >= readEvery
	default:
		return false
	}
}

// reach returns an error soon if the brokers do not answer. A command, which has no read model, waits for them as long as reading and writing topics does.
func (s *Service) reach(ctx context.Context) error {
	if s.cfg.Model == nil {
		return nil
	}
	p, err := s.ping()
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		select {
		case <-p.done: // what is known is answered
		default:
			return unavailable(ctx.Err())
		}
	}
	return p.err
}

// ping returns the last ping if it is young, else one that it begins.
func (s *Service) ping() (*ping, error) {
	all := &s.jobs.pings
	all.mutex.Lock()
	defer all.mutex.Unlock()
	if all.last != nil && !all.last.isOld(s.cfg.Now()) {
		return all.last, nil
	}
	job, err := s.jobs.begin("")
	if err != nil {
		return nil, err
	}
	all.last = &ping{done: make(chan struct{})}
	go s.pinged(job, all.last)
	return all.last, nil
}

// pinged asks the brokers. What a connection says when it fails, such as names of hosts, is for the log.
func (s *Service) pinged(job job, p *ping) {
	defer job.done()
	defer close(p.done)
	err := s.askCluster(job.ctx)
	p.at = s.cfg.Now()
	switch {
	case err == nil:
	case job.ctx.Err() != nil:
		p.err = unavailable(context.Cause(job.ctx))
	default:
		s.cfg.Log.Warn("brokers not reached", zap.Strings("brokers", s.cfg.Cluster.Brokers), zap.Error(err))
		p.err = fmt.Errorf("%w: Kafka can't be reached at %s: check that the brokers run, and kafka.brokers. What the console has read is shown all the same",
			ErrUnavailable, strings.Join(s.cfg.Cluster.Brokers, ", "))
	}
}

// askCluster asks the brokers for something small, and again if that fails soon: one connection that breaks refuses nothing.
func (s *Service) askCluster(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	err := s.askOnce(ctx)
	if err != nil && ctx.Err() == nil {
		err = s.askOnce(ctx)
	}
	return err
}

// askOnce asks with a reader of its own: one that has asked before answers from what it knows.
func (s *Service) askOnce(ctx context.Context) error {
	reader, err := admin.NewLagReader(s.cfg.Cluster, s.cfg.Now)
	if err != nil {
		return err
	}
	defer reader.Close()
	_, err = reader.ClusterID(ctx)
	return err
}

// scan waits until the request may read whole topics, and returns what ends that. The error is a LimitedError if others do for long.
func (s *Service) scan(ctx context.Context) (done func(), err error) {
	if err := s.reach(ctx); err != nil {
		return nil, err
	}
	wait := cmp.Or(s.cfg.ScanWait, scanWait)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := s.cfg.Scans.Acquire(waiting, 1); err != nil {
		if ctx.Err() != nil {
			return nil, unavailable(ctx.Err())
		}
		return nil, &LimitedError{Problem: "others are reading the topics now: try again in some seconds", RetryAfter: wait}
	}
	return func() { s.cfg.Scans.Release(1) }, nil
}

const (
	// keepLast is how long the last trigger of a customer is kept: a preview is asked for with each pause in typing.
	keepLast = 15 * time.Second
	maxLasts = 100
)

// lasts are the last triggers of customers that were read a moment ago.
type lasts struct {
	mutex sync.Mutex
	read  map[string]last
}

type last struct {
	at      time.Time
	trigger *subscriber.Trigger // nil for none
}

// lastTrigger returns the last trigger of a flow for a customer, without the key of their links; nil for none. It must not be changed.
func (s *Service) lastTrigger(ctx context.Context, store, customer string, key flow.Key) (*subscriber.Trigger, error) {
	name, now := store+"/"+customer+"/"+string(key), s.cfg.Now()
	if known, ok := s.lasts.of(name, now); ok {
		return known, nil
	}
	done, err := s.scan(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	source := backtest.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics}
	found, err := source.Last(ctx, s.cfg.Partitions, store, customer, key, now.Add(-triggersFor))
	if err != nil {
		return nil, unavailable(err)
	}
	if found != nil && found.Recipient.PortalHash != "" {
		found.Recipient.PortalHash = flow.SampleHash
	}
	s.lasts.keep(name, last{now, found})
	return found, nil
}

func (l *lasts) of(name string, now time.Time) (*subscriber.Trigger, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	known, ok := l.read[name]
	return known.trigger, ok && now.Before(known.at.Add(keepLast))
}

func (l *lasts) keep(name string, found last) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for other, each := range l.read {
		if len(l.read) >= maxLasts || !found.at.Before(each.at.Add(keepLast)) {
			delete(l.read, other)
		}
	}
	l.read[name] = found
}

const (
	// trialsPerMinute is how many tests a person may send in a minute.
	trialsPerMinute = 3
	// maxTrialKey is the longest key of a request for a test, keepTrials how long a repeated one gets the answer of the first.
	maxTrialKey = 100
	keepTrials  = time.Hour
)

// trialName tells tests apart that have a key.
func trialName(who, key string, m sms.Message) string {
	return strings.Join([]string{who, m.Store, m.Flow, m.To, key, m.Body}, "\n")
}

// trialID returns the id of a test. With a key, a repeated request has the same one, also in another process: a provider that compares ids sends it once.
func trialID(who, key string, m sms.Message) string {
	id := sha256.Sum256([]byte("test\n" + trialName(who, key, m)))
	if key == "" {
		_, _ = rand.Read(id[:]) // it never fails
	}
	return hex.EncodeToString(id[:])
}

// trial is a test that was begun. Its answer is known when done is closed.
type trial struct {
	at   time.Time
	done chan struct{}
	sent TestSent
}

// answer waits for the answer.
func (t *trial) answer(ctx context.Context) (TestSent, error) {
	select {
	case <-t.done:
		return t.sent, nil
	case <-ctx.Done():
		return TestSent{}, unavailable(ctx.Err())
	}
}

// trials counts the tests of each person, and knows those whose requests have a key.
type trials struct {
	now   func() time.Time
	mutex sync.Mutex
	sent  map[string][]time.Time
	keyed map[string]*trial
}

func newTrials(now func() time.Time) *trials {
	return &trials{now: now, sent: map[string][]time.Time{}, keyed: map[string]*trial{}}
}

// take counts a test and returns it; begun means that another request with its key has begun it. Otherwise it may return how long to wait for the
// next one.
func (t *trials) take(who, key string, m sms.Message) (begins *trial, begun bool, wait time.Duration) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now, id := t.now(), trialName(who, key, m)
	maps.DeleteFunc(t.keyed, func(_ string, each *trial) bool { return !now.Before(each.at.Add(keepTrials)) })
	if before := t.keyed[id]; before != nil {
		return before, true, 0
	}
	if wait := t.count(who, now); wait > 0 {
		return nil, false, wait
	}
	begins = &trial{at: now, done: make(chan struct{})}
	if key != "" {
		t.keyed[id] = begins
	}
	return begins, false, 0
}

// count counts a test of a person, or returns how long to wait for the next one.
func (t *trials) count(who string, now time.Time) time.Duration {
	for name, sent := range t.sent {
		if t.sent[name] = slices.DeleteFunc(sent, func(at time.Time) bool { return !now.Before(at.Add(time.Minute)) }); len(t.sent[name]) == 0 {
			delete(t.sent, name)
		}
	}
	if sent := t.sent[who]; len(sent) >= trialsPerMinute {
		return sent[0].Add(time.Minute).Sub(now)
	}
	t.sent[who] = append(t.sent[who], now)
	return 0
}
