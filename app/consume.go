package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// addConsumers adds the consumers of a part's stages.
func (a *App) addConsumers(p *part) {
	shared := map[string]*kafka.Shared{}
	for _, s := range p.stages {
		if s.Membership != "" {
			a.share(p, shared, s)
			continue
		}
		consumer := kafka.NewConsumer(a.cluster, a.consumerConfig(p, s), a.log)
		a.watch(p, s, consumer)
		p.assigned = consumer.Status
		p.task(func(ctx context.Context) error { return a.consume(ctx, p, consumer, s) })
	}
	for _, consumers := range shared {
		p.task(consumers.Run)
	}
}

// consume runs a stage's consumer, with transactions if the stage has state. The sms role begins when flows and consent are read.
func (a *App) consume(ctx context.Context, p *part, consumer *kafka.Consumer, s *stage.Stage) error {
	if p.texts != nil && !p.texts.await(ctx) {
		return nil
	}
	if s.Transactor == nil {
		return consumer.Run(ctx, s.Handle)
	}
	compression, err := kafka.ParseCompression(a.cfg.Kafka.Compression)
	if err != nil {
		return fmt.Errorf("kafka.compression: %w", err)
	}
	outputs := a.runtime.Topics.Writes(topology.Role(s.Role))
	return consumer.RunTransactions(ctx, kafka.Transactions{
		Transform: s.Transform, TakeOver: s.Transactor.TakeOver, Release: s.Transactor.Release,
		Outputs: outputs, Punctuate: s.Punctuate, PunctuateEvery: s.PunctuateEvery, Compression: compression,
	})
}

// share adds a stage to the consumers that share its membership.
func (a *App) share(p *part, shared map[string]*kafka.Shared, s *stage.Stage) {
	config := a.consumerConfig(p, s)
	if shared[s.Membership] == nil {
		membership := config
		membership.Group, membership.OnAssigned = s.Membership, nil
		member := kafka.NewShared(a.cluster, membership, a.log)
		shared[s.Membership], p.groups = member, append(p.groups, s.Membership)
		p.onStart(func() { a.metrics.Rejoins(s.Membership, member.Rejoins) })
	}
	a.watch(p, s, shared[s.Membership].Add(config, s.Handle))
}

func (a *App) consumerConfig(p *part, s *stage.Stage) kafka.ConsumerConfig {
	return kafka.ConsumerConfig{
		Group:          s.Group,
		Topics:         s.Topics,
		Partitions:     PartitionCount(a.cfg.Kafka),
		SessionTimeout: a.cfg.Kafka.SessionTimeout,
		HandlerTimeout: a.cfg.Kafka.HandlerTimeout,
		OffsetReset:    kafka.OffsetReset(a.cfg.Kafka.LostOffsets),
		Filter:         s.Filter,
		Info:           p.info,
		FaultPoint:     a.faultPoint,
		OnAssigned: func(status kafka.Status) {
			s.Assigned(status)
			a.lags.soon()
		},
		// handlers must finish before shutdown_timeout ends
		DrainTimeout: a.cfg.ShutdownTimeout * 3 / 5,
	}
}

// watch adds a consumer's checks for /readyz and its metrics. In a process with the gateway, only the gateway decides readiness.
func (a *App) watch(p *part, s *stage.Stage, consumer *kafka.Consumer) {
	p.check(s.Group, !a.has(topology.RoleGateway), membership(consumer))
	p.check(s.Group+" work", false, work(s, consumer))
	p.groups = append(p.groups, s.Group)
	p.onStart(func() {
		a.lags.add(s.Group, consumer.Status)
		a.metrics.Lost(s.Group, consumer.LostOffsets)
		if s.Membership == "" {
			a.metrics.Rejoins(s.Group, consumer.Rejoins)
		}
		a.metrics.Assigned(s.Group, func() int {
			assigned := 0
			for _, partitions := range consumer.Status().Partitions {
				assigned += len(partitions)
			}
			return assigned
		})
		a.metrics.Stalled(s.Group, func() int {
			status := consumer.Status()
			return len(status.Stalled) + len(status.Halted) + len(status.Extra)
		})
	})
}

func membership(consumer *kafka.Consumer) func() error {
	return func() error {
		if !consumer.Status().Member {
			return errors.New("not a member of the group yet")
		}
		return nil
	}
}

// work reports why a stage makes no progress.
func work(s *stage.Stage, consumer *kafka.Consumer) func() error {
	return func() error {
		status := consumer.Status()
		switch {
		case len(status.Stalled) > 0:
			return fmt.Errorf("handlers of partitions %v exceeded kafka.handler_timeout", status.Stalled)
		case len(status.Halted) > 0:
			return errors.New(strings.Join(status.Halted, "; "))
		case len(status.Extra) > 0:
			return fmt.Errorf("partitions %v are not read: the topics must have fewer (kafka.partitions)", status.Extra)
		}
		return s.Trouble()
	}
}

// memberInfo returns what a process shows to other processes as a member of a role's groups.
func memberInfo(cfg config.Config, role topology.Role, version telemetry.Version, began time.Time) kafka.MemberInfo {
	return kafka.MemberInfo{Version: version.Name(), Configuration: cfg.Fingerprint(string(role)), Started: began.UTC().Truncate(time.Second)}
}
