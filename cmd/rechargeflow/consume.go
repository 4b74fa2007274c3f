package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sweep"
)

// consume works on what a stage reads.
func (p *process) consume(ctx context.Context, consumer *kafka.Consumer, stage *pipeline.Stage) error {
	if stage.Transactor == nil {
		return consumer.Run(ctx, stage.Handle)
	}
	compression, err := kafka.ParseCompression(p.cfg.Kafka.Compression)
	if err != nil {
		return fmt.Errorf("kafka.compression: %w", err)
	}
	return consumer.RunTransactions(ctx, kafka.Transactions{
		Transform: stage.Transform, TakeOver: stage.Transactor.TakeOver, Release: stage.Transactor.Release,
		Sweep: stage.Sweep, SweepEvery: sweep.Every, Compression: compression,
	})
}

func (p *process) consumerConfig(stage *pipeline.Stage, lags *lagWatch) kafka.ConsumerConfig {
	return kafka.ConsumerConfig{
		Group:          stage.Group,
		Topics:         stage.Topics,
		SessionTimeout: p.cfg.Kafka.SessionTimeout,
		HandlerTimeout: p.cfg.Kafka.HandlerTimeout,
		LostOffsets:    kafka.LostOffsets(p.cfg.Kafka.LostOffsets),
		Whole:          stage.Whole,
		Step:           step(),
		OnAssigned: func(status kafka.Status) {
			stage.Assigned(status)
			lags.soon()
		},
		// handlers must be done before shutdown_timeout is
		DrainTimeout: p.cfg.ShutdownTimeout * 3 / 5,
	}
}

// watch shows in /readyz and in the metrics how a stage is doing. Where the
// gateway runs, no stage decides whether the process is ready.
func (p *process) watch(stage *pipeline.Stage, consumer *kafka.Consumer) {
	p.health.Register(stage.Group, !p.has(pipeline.RoleGateway), membership(consumer))
	p.health.Register(stage.Group+" work", false, work(stage, consumer))
	p.metrics.Lost(stage.Group, consumer.Lost)
	p.metrics.Rejoins(stage.Group, consumer.Rejoins)
	p.metrics.Stuck(stage.Group, func() int {
		status := consumer.Status()
		return len(status.Stuck) + len(status.Halted)
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

// work says what keeps a stage from working.
func work(stage *pipeline.Stage, consumer *kafka.Consumer) func() error {
	return func() error {
		status := consumer.Status()
		switch {
		case status.Idle != "":
			return errors.New(status.Idle)
		case len(status.Stuck) > 0:
			return fmt.Errorf("the work on partitions %v does not come to an end", status.Stuck)
		case len(status.Halted) > 0:
			return errors.New(strings.Join(status.Halted, "; "))
		}
		return stage.Trouble()
	}
}
