package kafka

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// LostOffsets says what to do when the next record of a partition is gone: retention deleted it before it was read, or the
// topic was made anew.
type LostOffsets string

const (
	// LostSkip goes on with the first record there is, counts and logs what was lost. It is the default.
	LostSkip LostOffsets = "skip"
	// LostHalt reads no more of the partition until somebody has committed another offset and the group was rebalanced.
	LostHalt LostOffsets = "halt"
)

// behindPatience is how long a broker is asked again that says that a partition ends before the offset at which we are.
// One that stood still, and leads the partition no more, says so until it has heard of its successor.
const behindPatience = 10 * time.Second

// outOfRange treats an offset that the partition does not have, says a broker. Where it has it after all, the broker is
// behind or was asked by mistake.
func (p *prefetch) outOfRange(ctx context.Context, a ask) {
	first, end, err := p.connections.bounds(ctx, a.Topic, int(a.ID))
	if err != nil || first <= a.offset && (a.offset <= end || p.mayBeBehind(a.feed)) {
		if ctx.Err() == nil {
			p.log.Warn("fetch records", a.field(), zap.Int64("offset", a.offset), zap.Error(cmp.Or(err, error(kafka.OffsetOutOfRange))))
			p.connections.relearn(ctx)
		}
		p.fail(a.feed)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if a.feed.version != a.version {
		return
	}
	lost := max(0, first-a.offset)
	log := p.log.With(a.field(), zap.Int64("offset", a.offset), zap.Int64("first", first), zap.Int64("end", end), zap.Int64("lost", lost))
	const what = "offset out of range: retention deleted what was not read, or the topic was made anew"
	if p.lost == LostHalt {
		a.halted = fmt.Errorf("partition %d of topic %s is halted: offset %d is gone, the first is %d (commit another offset for the group, then restart)",
			a.ID, a.Topic, a.offset, first)
		log.Error(what + "; halted")
		return
	}
	p.onLost(lost)
	log.Error(what + "; going on with the first record there is")
	a.put(chunk{next: first, jump: true}) // behind what was fetched before
}

// mayBeBehind tells whether it is too early to believe a broker that a partition ends before the offset at which we are.
func (p *prefetch) mayBeBehind(f *feed) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if f.behind.IsZero() {
		f.behind = time.Now()
	}
	return time.Since(f.behind) < behindPatience
}

// halted says what is not read any more.
func (p *prefetch) halted() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var why []string
	for _, f := range p.feeds {
		if f.halted != nil {
			why = append(why, f.halted.Error())
		}
	}
	return why
}
