package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	checkEvery   = 5 * time.Second
	checkTimeout = 5 * time.Second
)

// brokerCheck knows whether brokers and topics are as the roles need them. What may still come is waited for, by the
// roles themselves; what waiting does not mend ends the process.
type brokerCheck struct {
	cluster kafka.Cluster
	need    kafka.Requirements
	log     *zap.Logger
	last    atomic.Pointer[error]
}

func (p *process) newBrokerCheck(cluster kafka.Cluster) (*brokerCheck, error) {
	k := p.cfg.Kafka
	if len(k.Brokers) == 0 {
		k.Durability = config.DurabilitySingle
	}
	spec, err := topicsSpec("", k)
	if err != nil {
		return nil, err
	}
	unasked := errors.New("not asked yet")
	c := &brokerCheck{cluster: cluster, need: requirements(spec, p.roles, k.TopicPrefix), log: p.log}
	c.last.Store(&unasked)
	return c, nil
}

// requirements are the topics of the roles, as the built-in topics file describes them.
func requirements(spec kafka.Spec, roles []pipeline.Role, prefix string) kafka.Requirements {
	var names []string
	for _, role := range roles {
		names = append(names, topicsOf(role, pipeline.Topics{Prefix: prefix})...)
	}
	var need kafka.Requirements
	for _, topic := range spec.Topics {
		if slices.Contains(names, topic.Name) {
			need.Topics = append(need.Topics, topic)
		}
	}
	return need
}

// topicsOf lists what a role reads and writes.
func topicsOf(role pipeline.Role, t pipeline.Topics) []string {
	switch role {
	case pipeline.RoleGateway:
		return []string{t.Webhooks()}
	case pipeline.RoleTransformer:
		return append(t.Reads(role), t.Events(), t.Triggers(), t.Customers(), t.Subscriptions(), t.State(), t.DeadLetters(role))
	}
	return append(t.Reads(role), t.DeadLetters(role))
}

// once asks and returns only what waiting does not mend.
func (c *brokerCheck) once(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := kafka.Check(asking, c.cluster, c.need)
	if ctx.Err() != nil {
		return nil
	}
	before := *c.last.Swap(&err)
	if isFinal(err) {
		return fmt.Errorf("brokers: %w", err)
	}
	if err != nil && (before == nil || before.Error() != err.Error()) {
		c.log.Warn("wait for brokers and topics", zap.Error(err))
	}
	return nil
}

// run asks until all is well, ctx ends or waiting is of no use.
func (c *brokerCheck) run(ctx context.Context) error {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for c.state() != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := c.once(ctx); err != nil {
			return err
		}
	}
	c.log.Info("brokers and topics are as they must be", zap.Int("topics", len(c.need.Topics)))
	return nil
}

// state is the last answer, for /readyz.
func (c *brokerCheck) state() error { return *c.last.Load() }

func isFinal(err error) bool {
	var unmet *kafka.Unmet
	return errors.Is(err, kafka.ErrAccess) || errors.As(err, &unmet) && len(unmet.Final) > 0
}
