package app

import (
	"context"
	"fmt"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// openConsole opens the port of the console, if the process has the role.
func (a *App) openConsole(ctx context.Context) error {
	if !a.has(topology.RoleConsole) {
		return nil
	}
	server, err := console.Open(ctx, console.Config{
		Listen: a.cfg.Console.Listen, MaxConnections: a.cfg.Console.MaxConnections,
		Log: a.log.With(zap.String("role", string(topology.RoleConsole))), Now: a.now,
	})
	if err != nil {
		return fmt.Errorf("console.listen: %w", err)
	}
	a.console = server
	a.consoleAddress.Store(server.Address())
	return nil
}

// ConsoleAddress is the address of the console; empty until that port is open, and without the role.
func (a *App) ConsoleAddress() string {
	address, _ := a.consoleAddress.Load().(string)
	return address
}

// serveConsole serves the console until ctx ends, then finishes the requests in progress. It does nothing without an open port.
func (a *App) serveConsole(ctx context.Context, group *errgroup.Group) {
	if a.console == nil {
		return
	}
	group.Go(func() error { return a.console.Run(ctx, func() {}) })
}
