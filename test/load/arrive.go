package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// asRecorded is how much of a burst is never squeezed: the recorded ones bring most of their webhooks in less.
const asRecorded = time.Second

// arrive sends a burst: each webhook at its time, whether or not those before it have been answered, and after the API knows
// what it tells. It returns when all were taken.
func (l *Load) arrive(ctx context.Context, life rechargetest.Life, burst, shown []rechargetest.Delivery, send Sender) error {
	group, sending := errgroup.WithContext(ctx)
	began, last := time.Now(), time.Duration(0)
	if len(burst) > 0 {
		last = burst[len(burst)-1].Offset
	}
	for _, d := range burst {
		if !wait(sending, time.Until(began.Add(l.squeeze(d.Offset, last)))) {
			break
		}
		for len(shown) > 0 && shown[0].Offset <= d.Offset {
			if err := l.show(shown[0]); err != nil {
				return errors.Join(err, group.Wait())
			}
			shown = shown[1:]
		}
		group.Go(func() error { return l.deliver(sending, life, d, send) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// show lets the API know what a webhook tells.
func (l *Load) show(d rechargetest.Delivery) error {
	if d.Topic == "charge/deleted" { // an id alone, and nobody asks for charges
		return nil
	}
	if d.Topic.Resource() != "order" {
		if err := l.options.API.Put(d.Body); err != nil {
			return fmt.Errorf("show the api %s: %w", d.Topic, err)
		}
	}
	if d.Topic == "subscription/deleted" {
		l.options.API.Remove("subscriptions", d.Told.ID)
	}
	return nil
}

// again is how long a webhook that was not taken waits.
const again = 20 * time.Millisecond

// deliver sends a webhook until it is taken.
func (l *Load) deliver(ctx context.Context, life rechargetest.Life, d rechargetest.Delivery, send Sender) error {
	for {
		l.tried.Add(1)
		taken, err := send(ctx, d.Topic, d.Body)
		if err != nil {
			return err
		}
		l.Account.add(life, d, taken)
		if taken {
			l.sent.Add(1)
			return nil
		}
		if !wait(ctx, again) {
			return ctx.Err()
		}
	}
}

// squeeze is when a webhook comes whose offset was recorded, in a burst that ends at last.
func (l *Load) squeeze(offset, last time.Duration) time.Duration {
	longest := l.options.Longest
	if longest == 0 || last <= max(longest, asRecorded) || offset <= asRecorded {
		return offset
	}
	rest := max(0, longest-asRecorded)
	return asRecorded + time.Duration(float64(rest)*float64(offset-asRecorded)/float64(last-asRecorded))
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
