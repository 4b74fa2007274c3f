package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	probeEvery   = 5 * time.Second
	probeTimeout = 3 * time.Second
)

// probe knows whether the gateway could store a webhook now: the brokers answer
// and have the topic. It asks by itself, since a gateway that is taken out for
// failing gets no webhook to find out that it would succeed again.
type probe struct {
	cluster kafka.Cluster
	topic   string
	last    atomic.Pointer[error]
}

func newProbe(cluster kafka.Cluster, topic string) *probe {
	p := &probe{cluster: cluster, topic: topic}
	unasked := errors.New("brokers not asked yet")
	p.last.Store(&unasked)
	return p
}

// run asks until ctx ends.
func (p *probe) run(ctx context.Context) error {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		err := p.ask(ctx)
		p.last.Store(&err)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (p *probe) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return kafka.TopicExists(ctx, p.cluster, p.topic)
}

// check is the last answer, for /readyz.
func (p *probe) check() error { return *p.last.Load() }
