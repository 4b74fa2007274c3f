package kafka

import (
	"context"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// sharedRequests limits the concurrent requests that commit or fetch offsets of consumers with a shared membership: kafka-go
// opens a connection for each. The last commits are not limited: groups whose coordinator hangs must not hold up the others.
const sharedRequests = 8

// Shared runs several consumers of the same topics as one member of a consumer group. They share its assignment, its connections
// and its fetches, so a consumer without records costs nearly nothing. Each handles the records at its own speed and commits to
// a group of its own, which has no members. Brokers accept such commits from anyone, so the process checks its membership before
// them.
type Shared struct {
	lead *Consumer
	all  []consumption
}

// NewShared returns a consumer whose config.Group has the members. Of the rest of config it needs the topics and what concerns
// the membership: timeouts, HeartbeatInterval, FetchWait.
func NewShared(cluster Cluster, config ConsumerConfig, log *zap.Logger) *Shared {
	return &Shared{lead: NewConsumer(cluster, config, log)}
}

// Add adds a consumer, before Run. Its config.Group has its offsets; topics and what concerns the membership are ignored.
func (s *Shared) Add(config ConsumerConfig, handle Handler) *Consumer {
	config.Topics = s.lead.config.Topics
	c := NewConsumer(s.lead.cluster, config, s.lead.base)
	c.failed = s.lead.failed
	s.all = append(s.all, consumption{consumer: c, newProcessor: func() processor { return atLeastOnce{handle} }})
	return c
}

// Status returns the state of the membership.
func (s *Shared) Status() Status { return s.lead.Status() }

// Rejoins returns how often the member left its group and joined again because no generation began in time.
func (s *Shared) Rejoins() int64 { return s.lead.Rejoins() }

// Run is Consumer.Run for all consumers.
func (s *Shared) Run(ctx context.Context) error {
	requests := make(requestLimiter, sharedRequests)
	for _, x := range s.all {
		if err := x.consumer.config.validate(); err != nil {
			return err
		}
		x.consumer.requests = requests
	}
	return s.lead.run(ctx, conn.Open(s.lead.cluster, s.lead.config.Topics...), s.all)
}

// requestLimiter limits concurrent requests by its capacity; nil does not.
type requestLimiter chan struct{}

func (l requestLimiter) do(ctx context.Context, request func() error) error {
	if l == nil {
		return request()
	}
	select {
	case l <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l }()
	return request()
}
