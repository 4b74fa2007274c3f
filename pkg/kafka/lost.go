package kafka

import (
	"context"
	"fmt"

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

// outOfRange treats an offset that the partition does not have.
func (p *prefetch) outOfRange(ctx context.Context, f *feed) {
	first, end, err := p.connections.bounds(ctx, f.Topic, int(f.ID))
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("fetch records", f.field(), zap.Error(err))
		}
		p.fail(f)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	lost := max(0, first-f.position)
	log := p.log.With(f.field(), zap.Int64("offset", f.position), zap.Int64("first", first), zap.Int64("end", end), zap.Int64("lost", lost))
	const what = "offset out of range: retention deleted what was not read, or the topic was made anew"
	if p.lost == LostHalt {
		f.halted = fmt.Errorf("partition %d of topic %s is halted: offset %d is gone, the first is %d (commit another offset for the group, then restart)",
			f.ID, f.Topic, f.position, first)
		log.Error(what + "; halted")
		return
	}
	p.onLost(lost)
	log.Error(what + "; going on with the first record there is")
	f.put(chunk{next: first}) // behind what was fetched before
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
