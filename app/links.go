package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/links/redirect"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// shortLinks is what serves the short links of a process.
type shortLinks struct {
	listener net.Listener
	table    *redirect.Table
	clicks   *redirect.Clicks
	handler  atomic.Pointer[redirect.Handler] // with the settings that are in force
}

// openLinks opens the port of short links if the process has the role, the port is not open, and a store has short links.
func (a *App) openLinks(ctx context.Context, cfg config.Config) error {
	if !a.has(topology.RoleLinks) || a.shortLinks != nil {
		return nil
	}
	if !cfg.ShortensLinks() {
		if len(a.roles) == 1 {
			a.log.Warn("short links are not served: no store has sms.links.url", zap.String("role", string(topology.RoleLinks)))
		}
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.Links.Listen)
	if err != nil {
		return fmt.Errorf("links.listen: listen for short links on %s: %w", a.cfg.Links.Listen, err)
	}
	a.links.Store(listener.Addr().String())
	log := a.log.With(zap.String("role", string(topology.RoleLinks)))
	s := &shortLinks{
		listener: listener, table: redirect.NewTable(a.runtime.Topics.Links(), log),
		clicks: redirect.NewClicks(a.runtime.Topics.Receipts(), a.runtime.Produce, a.metrics, log, a.now),
	}
	a.shortLinks = s
	a.redirectLinks(cfg)
	a.metrics.Links(s.table.Len)
	a.health.Register("short links", !a.has(topology.RoleGateway), func() error {
		if !s.table.IsReady() {
			return errors.New("recharge.links is not read yet: short links are answered with 503")
		}
		return nil
	})
	a.health.Register("rows of short links", false, s.table.Trouble)
	return nil
}

// redirectLinks serves short links with the settings of a configuration. The port stays open.
func (a *App) redirectLinks(cfg config.Config) {
	stores := map[string]redirect.Store{}
	for _, store := range cfg.Stores {
		if store.ShortensLinks() {
			stores[store.Name] = redirect.Store{Host: hostOf(store.SMS.Links.URL), Page: store.SMS.ShopURL}
		}
	}
	a.shortLinks.handler.Store(redirect.New(redirect.Config{
		Stores: stores, Links: a.shortLinks.table, Clicks: a.shortLinks.clicks, Metrics: a.metrics,
		Log: a.log.With(zap.String("role", string(topology.RoleLinks))), Now: a.now,
	}))
}

// takeUpLinks serves the short links of a changed configuration. The port is opened with the first store that has some.
func (a *App) takeUpLinks(ctx context.Context, group *errgroup.Group, next config.Config) error {
	if a.shortLinks != nil {
		a.redirectLinks(next)
		return nil
	}
	if err := a.openLinks(ctx, next); err != nil {
		return err
	}
	a.serveLinks(ctx, group)
	return nil
}

// LinksAddress is the address of short links; empty until that port is open, and without the role or any store with short links.
func (a *App) LinksAddress() string {
	address, _ := a.links.Load().(string)
	return address
}

// serveLinks follows the table, serves until ctx ends, then finishes the requests in progress and writes the clicks that are left. It does nothing
// without an open port.
func (a *App) serveLinks(ctx context.Context, group *errgroup.Group) {
	s := a.shortLinks
	if s == nil {
		return
	}
	group.Go(func() error { return s.table.Run(ctx, a.cluster) })
	group.Go(func() error {
		writing, stop := context.WithCancel(context.WithoutCancel(ctx))
		written := make(chan struct{})
		go func() {
			defer close(written)
			s.clicks.Run(writing)
		}()
		err := s.serve(ctx, a)
		stop()
		<-written
		return err
	})
}

// ServeHTTP is part of http.Handler.
func (s *shortLinks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.Load().ServeHTTP(w, r)
}

// refusedByServer counts a request that net/http or the limit of connections has refused.
func (s *shortLinks) refusedByServer(status int, took time.Duration) {
	s.handler.Load().RefusedByServer(status, took)
}

// Limits of requests for short links, which have no body.
const (
	linksHeader       = 16 << 10
	linksTimeout      = 5 * time.Second // for the header, and for the answer
	linksIdle         = 30 * time.Second
	finishLinksWithin = 2 * time.Second
)

func (s *shortLinks) serve(ctx context.Context, a *App) error {
	connections := httplimit.NewConnections(a.cfg.Links.MaxConnections, a.now, s.refusedByServer)
	a.metrics.LinkConnections(connections.Open, connections.Evicted)
	server := &http.Server{
		Handler: s, MaxHeaderBytes: linksHeader, ReadHeaderTimeout: linksTimeout, ReadTimeout: linksTimeout, WriteTimeout: linksTimeout,
		IdleTimeout: linksIdle, ConnState: connections.State, ConnContext: connections.Context, ErrorLog: telemetry.NewHTTPLog(a.log, "links", a.now),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishLinksWithin)
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	}()
	a.log.Info("listening for short links", zap.Stringer("address", s.listener.Addr()))
	if err := server.Serve(connections.Listen(s.listener)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve short links: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("finish short links: %w", err)
	}
	return nil
}

// linksOf returns what is checked of a store's short links.
func linksOf(store config.Store) doctor.Links {
	switch {
	case store.SMS.Mode == config.SMSTrigger:
		return doctor.Links{Off: "the platform that renders the texts shortens their links"}
	case !store.ShortensLinks():
		return doctor.Links{Off: "sms.links.url is not set, so texts keep their links"}
	}
	return doctor.Links{URL: strings.TrimRight(store.SMS.Links.URL, "/")}
}
