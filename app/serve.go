package app

import (
	"context"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
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

// serve runs the gateway and the parts until ctx ends or one of them fails. Then they have shutdown_timeout to finish.
func (a *App) serve(ctx context.Context) error {
	accepting, err := a.newAccepting(a.cfg)
	if err != nil {
		return err
	}
	listener, err := a.openPorts(ctx)
	if err != nil {
		return err
	}
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	group, working := errgroup.WithContext(working)
	group.Go(func() error { return a.check.run(working) })
	group.Go(func() error {
		ticker := time.NewTicker(a.cfg.Kafka.TopicCheckInterval)
		defer ticker.Stop()
		a.check.topics.run(working, ticker.C)
		return nil
	})
	a.startParts(working, group)
	if listener != nil {
		a.webhooks.accept(accepting)
		group.Go(func() error { return a.serveGateway(working, listener) })
	}
	a.serveLinks(working, group)
	a.serveConsole(working, group)
	if a.source != nil {
		loop := a.reloadLoop(group)
		group.Go(func() error {
			loop.Run(working)
			return nil
		})
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

// openPorts opens the ports of the gateway, whose listener it returns, of short links and of the console; each if the process has the role.
func (a *App) openPorts(ctx context.Context) (net.Listener, error) {
	listener, err := a.listen(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.openLinks(ctx, a.cfg); err != nil {
		return nil, err
	}
	return listener, a.openConsole(ctx)
}

// startParts runs all parts and the lag watch.
func (a *App) startParts(ctx context.Context, group *errgroup.Group) {
	if a.lags == nil {
		return
	}
	a.metrics.Lags(a.lags.report)
	for _, p := range a.allParts() {
		a.startPart(ctx, group, p, nil)
	}
	group.Go(func() error { return a.lags.run(ctx) })
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
