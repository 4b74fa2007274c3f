package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/api"
	"github.com/rechargeflow/rechargeflow/console/pages"
	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// consoleRole is what serves the console of a process.
type consoleRole struct {
	app     *App
	log     *zap.Logger
	server  *console.Server
	model   *readmodel.Model
	flows   *live.Table[live.Setting]
	consent *consent.Table
	tokens  *access.Tokens
	state   *access.State  // outlives a change of the configuration
	people  *access.People // likewise; nil without a file of people
	scans   *semaphore.Weighted
	jobs    *service.Jobs // likewise
	current atomic.Pointer[service.Service]
}

// openConsole opens the port and the read model of the console, if the process has the role.
func (a *App) openConsole(ctx context.Context) (err error) {
	if !a.has(topology.RoleConsole) {
		return nil
	}
	settings, modes := Settings(a.cfg.Kafka), map[string]consent.Mode{}
	for _, store := range a.cfg.Stores {
		modes[store.Name] = consent.Mode(store.SMS.Consent)
	}
	r := &consoleRole{app: a, log: a.log.With(zap.String("role", string(topology.RoleConsole))), state: access.NewState(), scans: service.NewScans()}
	r.jobs = service.NewJobs(a.now)
	r.flows, r.consent = live.NewTable(settings.Topic, r.log), consent.NewTable(a.runtime.Topics.Consent(), modes, r.log)
	r.tokens = access.NewTokens(settings, a.cluster, r.flows, a.now)
	r.model, err = readmodel.Open(readmodel.Config{
		Dir: a.cfg.Console.DataDir, Cluster: a.cluster, Topics: a.runtime.Topics, Retention: readmodel.Retention{Events: a.cfg.Console.Retention}, Now: a.now, Log: r.log,
		FaultPoint: a.faultPoint,
	})
	if err != nil {
		return fmt.Errorf("console.data_dir: %w", err)
	}
	a.onClose("close read model of the console", r.model.Close)
	if err := r.openPeople(a.cfg.Console.PeopleFile); err != nil {
		return err
	}
	first, err := r.newSite(a.cfg)
	if err != nil {
		return err
	}
	r.server, err = console.Open(ctx, console.Config{Listen: a.cfg.Console.Listen, MaxConnections: a.cfg.Console.MaxConnections, Log: r.log, Now: a.now})
	if err != nil {
		return fmt.Errorf("console.listen: %w", err)
	}
	first.use()
	a.console = r
	a.consoleAddress.Store(r.server.Address())
	r.export()
	return nil
}

// export adds the metrics and checks of the console.
func (r *consoleRole) export() {
	a := r.app
	a.metrics.ConsoleConnections(r.server.Connections())
	a.metrics.ConsoleReading(func() int64 { return r.model.Progress().Behind }, func() time.Duration {
		if looked := r.model.Progress().LookedAt; !looked.IsZero() {
			return max(0, a.now().Sub(looked))
		}
		return max(0, a.now().Sub(a.began))
	})
	a.health.Register("console", !a.has(topology.RoleGateway), func() error {
		if !r.flows.IsReady() {
			return errors.New("recharge.settings is not read yet: API tokens are not known, and nothing can be changed")
		}
		return nil
	})
	a.health.Register("what the console shows", false, func() error {
		switch p := r.model.Progress(); {
		case p.Trouble != "":
			return fmt.Errorf("it gets old: %s", p.Trouble)
		case !p.CaughtUp:
			return fmt.Errorf("the topics are still being read: %d of %d offsets", p.Read, p.Read+p.Behind)
		}
		return nil
	})
}

// site is what the console serves with one configuration.
type site struct {
	role    *consoleRole
	service *service.Service
	handler http.Handler
}

// siteFor builds what the console serves with a changed configuration; nil without the role, or if no store has changed.
func (r *consoleRole) siteFor(next config.Config, changes []config.Change) (*site, error) {
	if !slices.ContainsFunc(changes, func(c config.Change) bool { return c.Store != "" }) {
		return nil, nil //nolint:nilnil // documented
	}
	return r.newSite(next)
}

// newSite builds what the console serves with a configuration; nil without the role.
func (r *consoleRole) newSite(cfg config.Config) (*site, error) {
	if r == nil {
		return nil, nil //nolint:nilnil // documented
	}
	built, err := r.serviceOf(cfg)
	if err != nil {
		return nil, err
	}
	shown, err := pages.New(pages.Config{Service: built, Now: r.app.now})
	if err != nil {
		return nil, fmt.Errorf("build pages of the console: %w", err)
	}
	gate, err := r.gateOf(cfg.Console, shown)
	if err != nil {
		return nil, err
	}
	whole := console.Site{Gate: gate, API: api.New(built, r.log), Pages: shown}
	return &site{r, built, whole.Handler(console.Measure{Metrics: r.app.metrics, Log: r.log, Now: r.app.now})}, nil
}

// use serves the site in place of the one before. The port stays open, and what runs for stores that are still there goes on.
func (s *site) use() {
	if s == nil {
		return
	}
	s.service.Use()
	before := s.role.current.Swap(s.service)
	s.role.server.Use(s.handler)
	if before != nil {
		before.Stop()
	}
}

// ConsoleAddress is the address of the console; empty until that port is open, and without the role.
func (a *App) ConsoleAddress() string {
	address, _ := a.consoleAddress.Load().(string)
	return address
}

// serveConsole reads the topics and serves the console until ctx ends. Then streams of events end, and the requests in progress are finished. It does
// nothing without an open port.
func (a *App) serveConsole(ctx context.Context, group *errgroup.Group) {
	r := a.console
	if r == nil {
		return
	}
	group.Go(func() error { return r.flows.Run(ctx, a.cluster) })
	group.Go(func() error { return r.consent.Run(ctx, a.cluster) })
	group.Go(func() error { return r.model.Run(ctx) })
	group.Go(func() error {
		return r.server.Run(ctx, func() {
			r.jobs.Stop()
			r.current.Load().Stop()
		})
	})
}
