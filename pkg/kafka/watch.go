package kafka

import (
	"context"
	"fmt"
	"time"
)

// watched calls a handler and notices when it doesn't come back: its ctx ends after HandlerTimeout; when that does not help
// within DrainTimeout either, Run ends with an error, so that the process can be started anew. Nothing else would stop it
// from working on a partition that is another's by then.
func (w *worker) watched(ctx context.Context, handle func(context.Context) error) error {
	c := w.consumer
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.HandlerTimeout, errWedged)
	defer cancel()
	alarm := time.AfterFunc(c.config.HandlerTimeout+c.config.DrainTimeout, func() {
		c.fail(fmt.Errorf("handler of partition %d of group %s: %w", w.number, c.config.Group, errWedged))
	})
	defer alarm.Stop()
	c.began(w.number, time.Now())
	defer c.came(w.number)
	return handle(ctx)
}

// fail ends Run.
func (c *Consumer) fail(err error) {
	select {
	case c.failed <- err:
	default: // it is ending already
	}
}

func (c *Consumer) began(number int, at time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.handling[number] = at
}

func (c *Consumer) came(number int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.handling, number)
}
