package kafka

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// fetchBytes is what is asked of a partition at once; twice that is the most it has in memory, but for a single
	// larger batch.
	fetchBytes   = 1 << 20
	answerBytes  = 16 << 20
	fetchGrace   = 5 * time.Second
	shortWait    = 20 * time.Millisecond
	fetchRetry   = 50 * time.Millisecond
	fetchRetries = 2 * time.Second
)

// prefetch reads the partitions of a generation ahead of their workers: of each leader all that want more in one request.
// While that request waits for records, another asks for those that come to want more meanwhile.
type prefetch struct {
	connections *connections
	wait        time.Duration
	lost        LostOffsets
	onLost      func(int64)
	log         *zap.Logger
	wake        chan struct{}
	requests    sync.WaitGroup

	mutex sync.Mutex
	feeds []*feed // whose turn it is first
	turn  int     // counts answers
	busy  map[slot]bool
}

// slot is one of the two requests that may be under way to a broker.
type slot struct {
	broker int32
	short  bool
}

// pull is one request to be made.
type pull struct {
	slot
	asks    []ask
	request wire.FetchRequest
}

// ask is what a request asks of one partition.
type ask struct {
	*feed
	offset  int64
	version int // of the feed then
}

func (p *prefetch) add(f *feed) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.feeds = append(p.feeds, f)
	p.nudge()
}

func (p *prefetch) nudge() {
	select {
	case p.wake <- struct{}{}:
	default: // it is awake
	}
}

// run fetches until ctx ends.
func (p *prefetch) run(ctx context.Context) {
	defer p.requests.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		_, err := p.connections.layout(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("fetch records", zap.Error(err))
		}
		pulls, again := p.plan(time.Now())
		for _, one := range pulls {
			p.requests.Go(func() {
				p.pull(ctx, one)
				p.nudge()
			})
		}
		timer.Reset(again)
		select {
		case <-p.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// plan returns the requests to be made now, and when to plan anew if nothing happens.
func (p *prefetch) plan(now time.Time) (pulls []*pull, again time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	again = fetchRetries
	byBroker := make(map[int32]*pull)
	for _, f := range p.feeds {
		if until := f.notBefore.Sub(now); until > 0 {
			again = min(again, until)
		}
		if !f.wants(now) {
			continue
		}
		leader, err := p.connections.leader(f.Topic, f.ID)
		if err != nil {
			again = min(again, fetchRetry)
			continue
		}
		at := slot{broker: leader, short: p.busy[slot{broker: leader}]}
		if p.busy[at] {
			continue
		}
		if byBroker[leader] == nil {
			byBroker[leader] = &pull{slot: at}
		}
		byBroker[leader].add(f)
	}
	for _, one := range byBroker {
		p.busy[one.slot] = true
		one.request.Broker, one.request.ClientID = one.broker, p.connections.clientID()
		one.request.MaxBytes, one.request.ReadCommitted = answerBytes, true
		one.request.Wait = p.wait
		if one.short {
			one.request.Wait = min(p.wait, shortWait)
		}
		pulls = append(pulls, one)
	}
	return pulls, again
}

func (p *pull) add(f *feed) {
	f.fetching = true
	p.asks = append(p.asks, ask{feed: f, offset: f.position, version: f.version})
	p.request.Partitions = append(p.request.Partitions, wire.FetchPartition{
		Partition: f.Partition, Offset: f.position, MaxBytes: fetchBytes,
	})
}

// pull makes a request and puts what comes of it where it belongs.
func (p *prefetch) pull(ctx context.Context, one *pull) {
	asked, cancel := context.WithTimeout(ctx, one.request.Wait+fetchGrace)
	defer cancel()
	inTurn(one.request.Partitions)
	answers, err := wire.Fetch(asked, p.connections.transport, p.connections.addr, one.request)
	var served []*feed
	if err != nil {
		p.failed(ctx, one, err)
	} else {
		served = p.deal(ctx, one.asks, answers)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.hadTurns(served)
	delete(p.busy, one.slot)
	for _, a := range one.asks {
		a.fetching = false
	}
}

// failed treats a request without an answer.
func (p *prefetch) failed(ctx context.Context, one *pull, err error) {
	if ctx.Err() == nil {
		p.log.Warn("fetch records", zap.Int32("broker", one.broker), zap.Error(err))
		p.connections.relearn(ctx)
	}
	for _, a := range one.asks {
		p.fail(a.feed)
	}
}

// deal puts answers where they belong, and returns the feeds that have had their turn.
func (p *prefetch) deal(ctx context.Context, asks []ask, answers []wire.FetchAnswer) (served []*feed) {
	found := make(map[wire.Partition]wire.FetchAnswer, len(answers))
	for _, answer := range answers {
		found[answer.Partition] = answer
	}
	for _, a := range asks {
		answer, ok := found[a.Partition]
		switch {
		case ok:
			p.answered(ctx, a, answer, len(asks) > 1)
			if !passedOver(answer, a.offset) {
				served = append(served, a.feed)
			}
		case !full(answers): // else it comes earlier in the next request
			p.log.Warn("fetch records", a.field(), zap.Error(errNoAnswer))
			p.fail(a.feed)
		}
	}
	return served
}

// fail tries a feed again after a pause.
func (p *prefetch) fail(f *feed) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	f.notBefore = time.Now().Add(f.retry.next())
}

// answered takes in what one partition has. Where it shares its answer's memory with others it gets a copy: a partition that
// waits would keep all of it.
func (p *prefetch) answered(ctx context.Context, a ask, answer wire.FetchAnswer, shared bool) {
	if kafka.Error(answer.Code) == kafka.OffsetOutOfRange {
		p.outOfRange(ctx, a)
		return
	}
	if answer.Code != 0 {
		p.log.Warn("fetch records", a.field(), zap.Int64("offset", a.offset), zap.Error(kafka.Error(answer.Code)))
		p.connections.relearn(ctx)
		p.fail(a.feed)
		return
	}
	if shared {
		answer.Set = bytes.Clone(answer.Set)
	}
	found, err := decode(answer, a.offset)
	if err != nil { // a batch that can't be read stays so: it is said again and again, and nothing is passed over
		p.log.Error("fetch records", a.field(), zap.Int64("offset", a.offset), zap.Error(err))
		p.fail(a.feed)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if a.feed.version != a.version {
		return
	}
	a.behind = time.Time{}
	if found.next > a.offset {
		a.put(found)
	}
}

func (f *feed) field() zap.Field {
	return zap.Dict("partition", zap.String("topic", f.Topic), zap.Int32("id", f.ID))
}
