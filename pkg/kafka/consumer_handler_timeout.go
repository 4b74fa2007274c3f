package kafka

import (
	"context"
	"fmt"
	"time"
)

// callHandler calls a handler with HandlerTimeout. If the handler has not returned DrainTimeout after that, Run ends with an
// error, so that the process restarts: otherwise the handler could go on with a partition that another member owns by then.
func (w *worker) callHandler(ctx context.Context, handle func(context.Context) error) error {
	c := w.consumer
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.HandlerTimeout, errHandlerTimeout)
	defer cancel()
	alarm := time.AfterFunc(c.config.HandlerTimeout+c.config.DrainTimeout, func() {
		c.failRun(fmt.Errorf("handler of partition %d of group %s: %w", w.number, c.config.Group, errHandlerTimeout))
	})
	defer alarm.Stop()
	c.handlerStarted(w.number, time.Now())
	defer c.handlerReturned(w.number)
	return handle(ctx)
}

// failRun ends Run with an error.
func (c *Consumer) failRun(err error) {
	select {
	case c.failed <- err:
	default: // already ending
	}
}

func (c *Consumer) handlerStarted(number int, at time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.handlingSince[number] = at
}

func (c *Consumer) handlerReturned(number int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.handlingSince, number)
}
