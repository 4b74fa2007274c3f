package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// API is what is read of a store: a [recharge.Client].
type API interface {
	List(ctx context.Context, resource string, filters url.Values, cursor string, limit int) (recharge.Page, error)
	Customer(ctx context.Context, id string) (recharge.Customer, error)
	HasCharge(ctx context.Context, id string) (bool, error)
}

const (
	// maxFailures is how many calls in a row may fail before an import ends. It can be continued.
	maxFailures = 10
	// firstPause is the wait after the first failed call. It doubles with each of them, up to lastPause.
	firstPause, lastPause = time.Second, time.Minute
)

// source calls the API, again if a retry may help.
type source struct {
	api     API
	sleep   func(context.Context, time.Duration) error
	failed  func(error, time.Duration)
	decoder *recharge.Decoder
}

// list reads a page, a smaller one if it is too large.
func (s *source) list(ctx context.Context, resource string, filters url.Values, cursor string) (page recharge.Page, err error) {
	limit := recharge.MaxPage
	err = recharge.ErrTooLarge
	for ; errors.Is(err, recharge.ErrTooLarge) && limit > 0; limit /= 2 {
		err = s.retry(ctx, func() (err error) {
			page, err = s.api.List(ctx, resource, filters, cursor, limit)
			return err
		})
	}
	if err != nil {
		return page, fmt.Errorf("list %s: %w", resource, err)
	}
	return page, nil
}

// gone reports whether Recharge knows no customer with this id.
func (s *source) gone(ctx context.Context, id string) (bool, error) {
	err := s.retry(ctx, func() error {
		_, err := s.api.Customer(ctx, id)
		return err
	})
	switch {
	case errors.Is(err, recharge.ErrNotFound):
		return true, nil
	case errors.Is(err, recharge.ErrUnreadable):
		return false, nil // it exists
	case err != nil:
		return false, fmt.Errorf("read customer %s: %w", id, err)
	}
	return false, nil
}

// goneCharge reports whether Recharge shows no charge with this id.
func (s *source) goneCharge(ctx context.Context, id string) (gone bool, err error) {
	err = s.retry(ctx, func() error {
		has, err := s.api.HasCharge(ctx, id)
		gone = !has && err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read charge %s: %w", id, err)
	}
	return gone, nil
}

func (s *source) retry(ctx context.Context, call func() error) error {
	pause := firstPause
	for failures := 1; ; failures++ {
		err := call()
		var failed *recharge.APIError
		if err == nil || ctx.Err() != nil || !errors.As(err, &failed) || !failed.Temporary() || failures >= maxFailures {
			return err
		}
		wait := max(pause, failed.RetryAfter)
		s.failed(err, wait)
		if err := s.sleep(ctx, wait); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

// decode decodes a resource of a list. kind is its name in the singular.
func (s *source) decode(kind string, item json.RawMessage, at time.Time) (w recharge.Webhook, body []byte, err error) {
	body = make([]byte, 0, len(kind)+len(item)+5)
	body = append(append(append(append(body, `{"`...), kind...), `":`...), item...)
	body = append(body, '}')
	w, err = s.decoder.Decode(recharge.Topic(kind+"/updated"), body, at)
	return w, body, err
}
