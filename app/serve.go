package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// stopAdminWithin limits how long a scrape may take during shutdown.
const stopAdminWithin = 2 * time.Second

// startAdmin opens the admin port. It is the first to start and the last to stop, so that metrics and readiness are served
// during shutdown.
func (a *App) startAdmin(ctx context.Context) error {
	admin := telemetry.NewAdmin(a.cfg.Admin.Listen, a.metrics, a.health, a.version)
	admin.ServeLogLevel(a.logLevel, a.log)
	if a.cfg.Admin.Pprof {
		admin.ServePprof()
	}
	admin.LogErrors(telemetry.NewHTTPLog(a.log, "admin", a.now))
	if err := admin.Start(ctx); err != nil {
		return fmt.Errorf("admin.listen: %w", err)
	}
	a.admin.Store(admin.Addr())
	a.onClose("stop admin port", func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopAdminWithin)
		defer cancel()
		return admin.Shutdown(ctx)
	})
	return nil
}

// serve runs the gateway and a consumer per stage until ctx ends or one of them fails. Then they have shutdown_timeout to
// finish.
func (a *App) serve(ctx context.Context, cluster kafka.Cluster, check *brokerCheck, runtime pipeline.Runtime, stages []*stage.Stage) error {
	listener, err := a.listen(ctx)
	if err != nil {
		return err
	}
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	group, working := errgroup.WithContext(working)
	group.Go(func() error { return check.run(working) })
	group.Go(func() error {
		ticker := time.NewTicker(a.cfg.Kafka.TopicCheckInterval)
		defer ticker.Stop()
		check.topics.run(working, ticker.C)
		return nil
	})
	if err := a.startStages(working, group, cluster, stages); err != nil {
		stopWork()
		return errors.Join(err, group.Wait())
	}
	if listener != nil {
		group.Go(func() error { return a.serveGateway(working, listener, runtime) })
	}
	a.running.Store(true)
	a.log.Info("running")
	select {
	case <-ctx.Done():
	case <-working.Done(): // a part has failed
	}
	a.health.Drain()
	a.log.Info("stopping: readiness check fails from now on")
	select {
	case <-time.After(a.cfg.ShutdownDelay):
	case <-working.Done():
	}
	a.stopBy = time.Now().Add(a.cfg.ShutdownTimeout)
	stopWork()
	a.log.Info("stopping: finishing records in progress", zap.Duration("within", a.cfg.ShutdownTimeout))
	return a.finish(group)
}

// startStages runs the consumers of all stages, the lookup client and the lag watch.
func (a *App) startStages(ctx context.Context, group *errgroup.Group, cluster kafka.Cluster, stages []*stage.Stage) error {
	if len(stages) == 0 {
		return nil
	}
	lags, err := newLagWatch(cluster, a.log, a.now)
	if err != nil {
		return err
	}
	a.metrics.Lags(lags.report)
	shared := map[string]*kafka.Shared{}
	for _, s := range stages {
		if s.Membership != "" {
			a.share(shared, cluster, s, lags)
			continue
		}
		consumer := kafka.NewConsumer(cluster, a.consumerConfig(s, lags), a.log)
		a.watch(s, consumer)
		lags.add(s.Group, consumer.Status)
		group.Go(func() error { return a.consume(ctx, consumer, s) })
		if s.Role == string(topology.RoleTransformer) {
			a.startWatches(ctx, group, consumer)
		}
	}
	if a.flows != nil {
		group.Go(func() error { return a.flows.table.Run(ctx, cluster) })
	}
	for _, consumers := range shared {
		group.Go(func() error { return consumers.Run(ctx) })
	}
	if a.consent != nil {
		group.Go(func() error { return a.consent.Run(ctx, cluster) })
	}
	if a.lookups != nil {
		group.Go(func() error { return a.lookups.Run(ctx) })
	}
	group.Go(func() error { return lags.run(ctx) })
	return nil
}

// finish waits until the records in progress are processed. It leaves a fifth of shutdown_timeout for close.
func (a *App) finish(group *errgroup.Group) error {
	done := make(chan error, 1)
	go func() { done <- group.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(a.cfg.ShutdownTimeout * 4 / 5):
		return fmt.Errorf("shutdown exceeded four fifths of shutdown_timeout (%s): uncommitted records will be processed again", a.cfg.ShutdownTimeout)
	}
}
