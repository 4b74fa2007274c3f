package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// partition reads one partition during one generation.
type partition struct {
	*generation
	topic    string
	id       int
	position int64 // the next offset to fetch; kafka.FirstOffset before the first fetch of a new group
	log      *zap.Logger
}

// run fetches until fetching ends and hands the records on. It never returns on an error.
func (p *partition) run(fetching, handling context.Context) {
	pause := backoff{first: fetchRetry, most: fetchRetryMax}
	for fetching.Err() == nil {
		found, err := p.fetch(fetching)
		if err != nil {
			if fetching.Err() == nil {
				p.log.Warn("fetch records", zap.Int64("offset", p.position), zap.Error(err))
				p.connections.refresh()
			}
			pause.wait(fetching)
			continue
		}
		pause.reset()
		if !p.deliver(fetching, handling, found.records) {
			return
		}
		if len(found.records) == 0 && found.next > p.position { // nothing for the handler there
			p.offsets.mark(p.topic, p.id, found.next)
		}
		p.position = found.next
	}
}

func (p *partition) fetch(ctx context.Context) (span, error) {
	if p.position < 0 {
		first, _, err := p.connections.bounds(ctx, p.topic, p.id)
		if err != nil {
			return span{}, err
		}
		p.position = first
	}
	found, err := p.connections.fetch(ctx, p.topic, p.id, p.position, p.consumer.config.FetchWait)
	if errors.Is(err, kafka.OffsetOutOfRange) {
		if err := p.startOver(ctx); err != nil {
			return span{}, err
		}
		return span{next: p.position}, nil
	}
	return found, err
}

// startOver goes to the first record there is, when the one to be read next is gone or was never there.
func (p *partition) startOver(ctx context.Context) error {
	first, end, err := p.connections.bounds(ctx, p.topic, p.id)
	if err != nil {
		return err
	}
	lost := max(0, first-p.position)
	p.consumer.lost.Add(lost)
	p.log.Error("offset out of range, going on with the first record there is: retention deleted what was not read, or the topic was made anew",
		zap.Int64("offset", p.position), zap.Int64("first", first), zap.Int64("end", end), zap.Int64("lost", lost))
	p.position = first
	return nil
}

// deliver hands records to the handler until all are finished. It tells whether to go on reading.
func (p *partition) deliver(fetching, handling context.Context, records []Record) bool {
	pause := backoff{first: handlerRetry, most: handlerRetryMax}
	for len(records) > 0 {
		if fetching.Err() != nil {
			return false
		}
		batch := records[:min(len(records), p.consumer.config.MaxBatch)]
		done, err := p.finish(handling, batch)
		if done > 0 {
			pause.reset()
			p.offsets.mark(p.topic, p.id, records[done-1].Offset+1)
			records = records[done:]
		}
		if err == nil {
			continue
		}
		p.log.Warn("handle records, will go on after a pause",
			zap.Int64("offset", batch[0].Offset), zap.Int("records", len(batch)), zap.Int("done", done), zap.Error(err))
		if !pause.waitAtLeast(fetching, pauseOf(err)) {
			return false
		}
	}
	return true
}

// finish calls the handler and checks its answer.
func (p *partition) finish(ctx context.Context, batch []Record) (int, error) {
	done, err := p.handle(ctx, batch)
	switch {
	case done < 0 || done > len(batch):
		return 0, errors.Join(fmt.Errorf("handler says %d of %d records are finished", done, len(batch)), err)
	case done == 0 && err == nil:
		return 0, errNothingDone
	default:
		return done, err
	}
}
