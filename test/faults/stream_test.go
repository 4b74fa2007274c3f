package faults_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/lab"
	"github.com/rechargeflow/rechargeflow/test/lives"
)

// stream writes lives into the raw topic as the gateway would have, with the times of receipt that they tell: everybody's
// first burst, then everybody's second, so that all of them go on as long as it lasts. (The door itself is under the load
// of the other tests: HTTP would take as much of this machine as all the rest.)
type stream struct {
	shop     lives.Shop
	many     int
	topic    string
	producer *kafka.Producer
	rate     *rate.Limiter
	total    int
	sent     atomic.Int64
	ended    chan error
}

// atOnce is how many are written at once, at most: where little is written, little at a time.
const atOnce = 200

func (s *stream) atOnce() int { return max(10, min(atOnce, int(min(s.rate.Limit(), 4*atOnce))/4)) }

// run writes until all is written.
func (s *stream) run(ctx context.Context) {
	var batch []kafka.Record
	var failed error
	for burst := range lives.Bursts {
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

// scattered is another order of the lives: neighbours are of the same kinds.
func (s *stream) scattered(n int) int {
	const step = 7919 // prime, and no divisor of what is asked for
	return (n * step) % s.many
}

func (s *stream) add(batch []kafka.Record, n, burst int) []kafka.Record {
	l := s.shop.Life(n)
	if burst >= len(l.Bursts) {
		return batch
	}
	for _, d := range l.Bursts[burst] {
		body := l.Body(d)
		batch = append(batch, kafka.Record{
			Topic: s.topic, Partition: kafka.ByKey, Key: fmt.Appendf(nil, "%s/%d", lab.Store, lives.CustomerID(n)), Value: body,
			Headers: []kafka.Header{
				{Key: pipeline.HeaderTopic, Value: []byte(d.Topic)},
				{Key: pipeline.HeaderStore, Value: []byte(lab.Store)},
				{Key: pipeline.HeaderReceivedAt, Value: []byte(d.Received.Format(time.RFC3339Nano))},
				{Key: pipeline.HeaderDeliveryHash, Value: []byte(recharge.DeliveryHash(recharge.Topic(d.Topic), body))},
				{Key: pipeline.HeaderOrigin, Value: []byte(pipeline.OriginWebhook)},
				{Key: pipeline.HeaderTraceparent, Value: []byte(telemetry.EnsureTraceparent(""))},
			},
		})
	}
	return batch
}

// write weathers a broker that answers nobody for a while: the producer is idempotent.
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

// pace spreads what is left over so much time.
func (s *stream) pace(left time.Duration) {
	s.rate.SetLimit(rate.Limit(max(20, float64(int64(s.total)-s.sent.Load())/left.Seconds())))
}

// rest writes what is left as fast as it can, and returns when all is written.
func (s *stream) rest() error {
	s.rate.SetLimit(rate.Inf)
	return <-s.ended
}
