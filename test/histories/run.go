package histories

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Run sends the histories of a shop's customers at their recorded times. It skips the days between bursts.
type Run struct {
	Shop      Shop
	Customers int
	// Together is how many customers are processed concurrently; 0 means one after the other.
	Together int
	// Longest is what a burst may take: a recorded one lasts up to 2.5 minutes. Its first second is always as recorded; the
	// rest is compressed into the rest of the time. 0 compresses nothing.
	Longest time.Duration

	mu          sync.Mutex
	sent, tried int
	webhooks    map[[sha256.Size]byte]*webhook
}

// webhook identifies a sent webhook by topic and body.
type webhook struct {
	Delivery

	customer        int
	accepted, tried int // how often
}

// Sender tries to deliver a webhook and reports whether it was accepted. If not it is sent again, as Recharge does: it may have
// been stored nevertheless. An error ends the run.
type Sender func(ctx context.Context, topic recharge.Topic, body []byte) (accepted bool, err error)

// Sent returns the number of accepted webhooks, including duplicates.
func (r *Run) Sent() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

// Tried returns how often webhooks were sent.
func (r *Run) Tried() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tried
}

// Send sends all histories. The bursts of a customer come one after the other.
func (r *Run) Send(ctx context.Context, send Sender) error {
	r.webhooks = map[[sha256.Size]byte]*webhook{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, r.Together))
	for n := range r.Customers {
		group.Go(func() error {
			for nth, burst := range r.Shop.History(n).Bursts {
				if err := r.burst(ctx, n, burst, send); err != nil {
					return fmt.Errorf("send burst %d of customer %d: %w", nth, n, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// asRecorded is the part of a burst that is never compressed: most webhooks of the recorded bursts are in it.
const asRecorded = time.Second

// burst sends each webhook at its time, without waiting for the responses to earlier ones. It returns when all are accepted.
func (r *Run) burst(ctx context.Context, n int, burst []Delivery, send Sender) error {
	group, sending := errgroup.WithContext(ctx)
	began := time.Now()
	for _, d := range burst {
		if !wait(sending, time.Until(began.Add(r.compressed(d.Offset, burst[len(burst)-1].Offset)))) {
			break
		}
		group.Go(func() error { return r.deliver(sending, n, d, send) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// again is the delay before a webhook that was not accepted is sent again.
const again = 20 * time.Millisecond

// deliver sends a webhook until it is accepted.
func (r *Run) deliver(ctx context.Context, n int, d Delivery, send Sender) error {
	body := d.Body()
	for {
		accepted, err := send(ctx, d.Topic, body)
		if err != nil {
			return fmt.Errorf("send %s: %w", d.Topic, err)
		}
		if r.note(n, d, body, accepted); accepted {
			return nil
		}
		if !wait(ctx, again) {
			return ctx.Err()
		}
	}
}

func (r *Run) note(n int, d Delivery, body []byte, accepted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := keyOf(string(d.Topic), body)
	if r.webhooks[key] == nil {
		r.webhooks[key] = &webhook{Delivery: d, customer: n}
	}
	r.tried++
	r.webhooks[key].tried++
	if accepted {
		r.sent++
		r.webhooks[key].accepted++
	}
}

func keyOf(topic string, body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(topic+"\n"), body...))
}

// compressed is the offset of a webhook in a compressed burst, from its recorded offset and that of the last webhook.
func (r *Run) compressed(offset, last time.Duration) time.Duration {
	if r.Longest == 0 || last <= max(r.Longest, asRecorded) || offset <= asRecorded {
		return offset
	}
	rest := max(0, r.Longest-asRecorded)
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

// Raw is a stored webhook.
type Raw struct {
	Topic    string
	Body     []byte
	Received time.Time
}

// Arrived returns the webhooks of each customer as they were stored, in that order, and the errors: webhooks that were accepted
// more often than they are stored, stored more often than sent, or never sent.
func (r *Run) Arrived(stored []Raw) (arrived [][]Delivery, wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	arrived, counts := make([][]Delivery, r.Customers), map[*webhook]int{}
	for _, raw := range stored {
		w := r.webhooks[keyOf(raw.Topic, raw.Body)]
		if w == nil {
			wrong = append(wrong, fmt.Sprintf("%s was never sent: %s", raw.Topic, raw.Body))
			continue
		}
		counts[w]++
		d := w.Delivery
		d.Received = raw.Received
		arrived[w.customer] = append(arrived[w.customer], d)
	}
	for _, w := range r.webhooks {
		if n := counts[w]; n < w.accepted || n > w.tried {
			wrong = append(wrong, fmt.Sprintf("%s of customer %d is stored %d times, was accepted %d times and sent %d times", w.Topic, w.customer, n, w.accepted, w.tried))
		}
	}
	return arrived, wrong
}
