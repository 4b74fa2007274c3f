package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// consume runs a stage's consumer, with transactions if the stage has state. The sms role begins when flows and consent are read.
func (a *App) consume(ctx context.Context, consumer *kafka.Consumer, s *stage.Stage) error {
	if s.Role == string(topology.RoleSMS) {
		for _, ready := range []<-chan struct{}{a.flows.table.Ready(), a.consent.Ready()} {
			select {
			case <-ready:
			case <-ctx.Done():
				return nil
			}
		}
		a.texting.logReady()
	}
	if s.Transactor == nil {
		return consumer.Run(ctx, s.Handle)
	}
	compression, err := kafka.ParseCompression(a.cfg.Kafka.Compression)
	if err != nil {
		return fmt.Errorf("kafka.compression: %w", err)
	}
	outputs := topology.Topics{Prefix: a.cfg.Kafka.TopicPrefix}.Writes(topology.Role(s.Role))
	return consumer.RunTransactions(ctx, kafka.Transactions{
		Transform: s.Transform, TakeOver: s.Transactor.TakeOver, Release: s.Transactor.Release,
		Outputs: outputs, Punctuate: s.Punctuate, PunctuateEvery: s.PunctuateEvery, Compression: compression,
	})
}

// share adds a stage to the consumers that share its membership.
func (a *App) share(shared map[string]*kafka.Shared, cluster kafka.Cluster, s *stage.Stage, lags *lagWatch) {
	config := a.consumerConfig(s, lags)
	if shared[s.Membership] == nil {
		membership := config
		membership.Group, membership.OnAssigned = s.Membership, nil
		shared[s.Membership] = kafka.NewShared(cluster, membership, a.log)
		a.metrics.Rejoins(s.Membership, shared[s.Membership].Rejoins)
	}
	consumer := shared[s.Membership].Add(config, s.Handle)
	a.watch(s, consumer)
	lags.add(s.Group, consumer.Status)
}

func (a *App) consumerConfig(s *stage.Stage, lags *lagWatch) kafka.ConsumerConfig {
	return kafka.ConsumerConfig{
		Group:          s.Group,
		Topics:         s.Topics,
		Partitions:     PartitionCount(a.cfg.Kafka),
		SessionTimeout: a.cfg.Kafka.SessionTimeout,
		HandlerTimeout: a.cfg.Kafka.HandlerTimeout,
		OffsetReset:    kafka.OffsetReset(a.cfg.Kafka.LostOffsets),
		Filter:         s.Filter,
		Info:           memberInfo(a.cfg, topology.Role(s.Role), a.version, a.began),
		FaultPoint:     a.faultPoint,
		OnAssigned: func(status kafka.Status) {
			s.Assigned(status)
			lags.soon()
		},
		// handlers must finish before shutdown_timeout ends
		DrainTimeout: a.cfg.ShutdownTimeout * 3 / 5,
	}
}

// watch registers a stage's checks for /readyz and its metrics. In a process with the gateway, only the gateway decides
// readiness.
func (a *App) watch(s *stage.Stage, consumer *kafka.Consumer) {
	a.health.Register(s.Group, !a.has(topology.RoleGateway), membership(consumer))
	a.health.Register(s.Group+" work", false, work(s, consumer))
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
