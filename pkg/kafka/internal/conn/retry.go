package conn

import (
	"context"
	"errors"
	"time"
)

// retryTimeout limits Retry.
const retryTimeout = 30 * time.Second

// Retry calls request until it succeeds or its error is not transient, for half a minute at most.
func (p *Pool) Retry(ctx context.Context, request func() error) error {
	ctx, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	retry := RequestBackoff()
	for {
		err := request()
		if err == nil || !Transient(err) {
			return err
		}
		p.ExpireMetadata()
		if !retry.Wait(ctx) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
