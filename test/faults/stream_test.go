package faults_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// stream writes the webhooks of histories into the raw topic as the gateway would, with the histories' times of receipt: every
// customer's first burst, then every customer's second, so that all histories last until the end. (The gateway itself is tested by
// the other tests: HTTP would need as much of this machine as all the rest.)
type stream struct {
	shop     histories.Shop
	many     int
	topic    string
	producer *kafka.Producer
	rate     *rate.Limiter
	total    int
	sent     atomic.Int64
	ended    chan error
}

// atOnce is the largest number of webhooks that are written at once; fewer at a low rate.
const atOnce = 200

func (s *stream) atOnce() int { return max(10, min(atOnce, int(min(s.rate.Limit(), 4*atOnce))/4)) }

// run writes all webhooks.
func (s *stream) run(ctx context.Context) {
	var batch []kafka.Record
	var failed error
	for burst := range histories.MaxBursts {
		for n := range s.many {
			if batch = s.add(batch, s.scattered(n), burst); len(batch) >= s.atOnce() && failed == nil {
				failed = s.write(ctx, batch)
				batch = batch[:0]
			}
		}
	}
	if failed == nil {
		failed = s.write(ctx, batch)
	}
	s.ended <- failed
}

// scattered is another order of the customers, because neighbours are of the same kinds.
func (s *stream) scattered(n int) int {
	const step = 7919 // prime, and no divisor of the usual numbers
	return (n * step) % s.many
}

func (s *stream) add(batch []kafka.Record, n, burst int) []kafka.Record {
	h := s.shop.History(n)
	if burst >= len(h.Bursts) {
		return batch
	}
	for _, d := range h.Bursts[burst] {
		body := d.Body()
		batch = append(batch, kafka.Record{
			Topic: s.topic, Partition: kafka.ByKey, Key: []byte(lab.Store + "/" + d.Key()), Value: body,
			Headers: []kafka.Header{
				{Key: envelope.HeaderRechargeTopic, Value: []byte(d.Topic)},
				{Key: envelope.HeaderStore, Value: []byte(lab.Store)},
				{Key: envelope.HeaderReceivedAt, Value: []byte(d.Received.Format(time.RFC3339Nano))},
				{Key: envelope.HeaderDeliveryHash, Value: []byte(recharge.DeliveryHash(d.Topic, body))},
				{Key: envelope.HeaderSource, Value: []byte(envelope.SourceWebhook)},
				{Key: envelope.HeaderTraceparent, Value: []byte(telemetry.EnsureTraceparent(""))},
			},
		})
	}
	return batch
}

// write outlasts a broker that does not answer for a while: the producer is idempotent.
func (s *stream) write(ctx context.Context, batch []kafka.Record) error {
	if err := s.rate.WaitN(ctx, len(batch)); err != nil {
		return err
	}
	if err := s.producer.Produce(ctx, batch...); err != nil {
		return fmt.Errorf("write webhooks: %w", err)
	}
	s.sent.Add(int64(len(batch)))
	return nil
}

// pace distributes the rest over a time.
func (s *stream) pace(left time.Duration) {
	s.rate.SetLimit(rate.Limit(max(20, float64(int64(s.total)-s.sent.Load())/left.Seconds())))
}

// rest writes the rest as fast as possible, and returns when all is written.
func (s *stream) rest() error {
	s.rate.SetLimit(rate.Inf)
	return <-s.ended
}
