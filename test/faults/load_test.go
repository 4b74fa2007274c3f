package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	customers = 240
	senders   = 24
)

// load sends webhooks of many customers, those of a customer in order, each until it is accepted, as Recharge does.
type load struct {
	lab    *lab.Lab
	rate   *rate.Limiter
	stop   context.CancelFunc
	work   sync.WaitGroup
	mutex  sync.Mutex
	next   map[int]int   // by customer
	tries  map[int64]int // by number of the webhook, once it is accepted
	failed error
	paidAt time.Time // of all charges
	// webhook returns a customer's webhook.
	webhook func(customer int, number int64, paidAt time.Time) lab.Webhook
	// accepted is when each webhook was accepted, by number.
	accepted map[int64]time.Time
}

func newLoad(l *lab.Lab) *load {
	return &load{
		lab: l, rate: rate.NewLimiter(400, 20), next: map[int]int{}, tries: map[int64]int{},
		paidAt: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), webhook: webhook, accepted: map[int64]time.Time{},
	}
}

// start sends webhooks until rest is called, and those that were started until they are accepted.
func (l *load) start() {
	running, stop := context.WithCancel(context.Background())
	l.stop = stop
	for sender := range senders {
		l.work.Go(func() {
			for customer := sender; l.rate.Wait(running) == nil; customer = (customer + senders) % customers {
				if err := l.send(customer); err != nil {
					l.mutex.Lock()
					l.failed = err
					l.mutex.Unlock()
					return
				}
			}
		})
	}
}

// rest returns when every webhook was accepted.
func (l *load) rest() error {
	l.stop()
	l.work.Wait()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.failed
}

func (l *load) send(customer int) error {
	l.mutex.Lock()
	l.next[customer]++
	number := numberOf(customer, l.next[customer])
	l.mutex.Unlock()
	w := l.webhook(customer, number, l.paidAt)
	giveUp := time.Now().Add(2 * time.Minute)
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		status, answer, err := l.lab.Send(ctx, w)
		cancel()
		switch {
		case err == nil && status == http.StatusOK:
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.tries[number], l.accepted[number] = tries, time.Now()
			return nil
		case err == nil && status != http.StatusServiceUnavailable:
			return fmt.Errorf("send webhook %d: answer %d %s", number, status, answer)
		case time.Now().After(giveUp):
			return fmt.Errorf("send webhook %d: not accepted in two minutes: answer %d %s, %w", number, status, answer, err)
		}
		<-time.After(50 * time.Millisecond) // the gateway, or its broker, is being restarted
	}
}

// numberOf is the number of a webhook. The numbers of a customer increase.
func numberOf(customer, nth int) int64 { return int64(customer+1)*1_000_000 + int64(nth) }

// kind determines the expected outputs of a webhook.
type kind int

const (
	paid      kind = iota // an event and a trigger
	malformed             // a dead letter
	unused                // nothing
)

func kindOf(number int64) kind {
	switch (number/1_000_000 + number) % 50 {
	case 17:
		return malformed
	case 33:
		return unused
	}
	return paid
}

func webhook(customer int, number int64, paidAt time.Time) lab.Webhook {
	w := lab.Webhook{Store: lab.Store, Topic: "charge/paid"}
	who := fmt.Sprintf(`"customer":{"id":%d,"email":"c%d@example.com","phone":"+1503555%04d","hash":"h%d"}`, customer+1, customer+1, customer+1, customer+1)
	switch kindOf(number) {
	case malformed:
		w.Body = fmt.Appendf(nil, `{"charge":{"id":[%d],%s}}`, number, who)
	case unused:
		w.Topic = "address/updated"
		w.Body = fmt.Appendf(nil, `{"address":{"id":%d,"customer_id":%d}}`, number, customer+1)
	default:
		w.Body = fmt.Appendf(nil, `{"charge":{"id":%d,%s,"status":"success","total_price":"9.99","currency":"USD","processed_at":"%s"},%s}`,
			number, who, paidAt.UTC().Format("2006-01-02T15:04:05+00:00"), who)
	}
	return w
}
