package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/app/faultpoint"
	"github.com/rechargeflow/rechargeflow/app/reload"
	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// Options holds what a process needs beside its configuration.
type Options struct {
	Log *zap.Logger
	// LogLevel is the level of Log, to be changed on the admin port.
	LogLevel zap.AtomicLevel
	Version  telemetry.Version
	// Now is the clock; nil means the system clock.
	Now func() time.Time
	// FaultPoint kills or freezes the process at a step, for tests: see package faultpoint. Builds without the tag
	// faultpoints ignore it.
	FaultPoint string
	// Reload is the configuration that New gets, to be loaded again while the process runs; nil for never.
	Reload *reload.Source
}

// App is one process with its roles.
type App struct {
	cfg            config.Config                 // as at the start
	current        atomic.Pointer[config.Config] // with what was taken up since
	source         *reload.Source                // nil: nothing is
	roles          []topology.Role
	log            *zap.Logger
	logLevel       zap.AtomicLevel
	version        telemetry.Version
	now            func() time.Time
	began          time.Time
	faultPoint     func(name string) // of Options.FaultPoint; nil: none
	metrics        *telemetry.Metrics
	health         *telemetry.Health
	tracer         *tracing.Tracer // nil without tracing
	cluster        kafka.Cluster
	runtime        pipeline.Runtime
	check          *brokerCheck
	lags           *lagWatch // nil for the gateway alone
	webhooks       *webhooks
	shortLinks     *shortLinks  // nil without the role, or if no store has short links
	console        *consoleRole // nil without the role
	states         map[topology.Role]*state.Store
	claims         *sender.Claims // nil if no text is sent, or with other brokers than the embedded one
	running        atomic.Bool
	admin          atomic.Value // address of the admin port
	gateway        atomic.Value // address of the gateway
	links          atomic.Value // address of short links
	consoleAddress atomic.Value // address of the console
	stopBy         time.Time    // when everything must have ended; zero while it runs

	mutex   sync.Mutex // a reload may still run when the process gives up waiting for it, and closes
	parts   []*part    // one for each role besides the gateway
	closers []func()   // undo what was started, last first
	closed  bool       // closers have been taken: what is opened now is closed at once
}

// New checks the roles, and returns an App that is not started. Without roles the App runs all of
// them. An error means wrong arguments or configuration: a retry fails too.
func New(cfg config.Config, roles []topology.Role, o Options) (*App, error) {
	roles, err := checkRoles(cfg, roles)
	if err != nil {
		return nil, err
	}
	faultPoint, err := faultpoint.New(o.FaultPoint, o.Log)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = Clock(cfg)
	}
	a := &App{
		cfg: cfg, roles: roles, log: o.Log, logLevel: o.LogLevel, version: o.Version, now: o.Now, began: o.Now(), faultPoint: faultPoint,
		metrics: telemetry.NewMetrics(), health: telemetry.NewHealth(), source: o.Reload, states: map[topology.Role]*state.Store{}, webhooks: newWebhooks(cfg.Gateway),
	}
	a.current.Store(&cfg)
	a.health.Register("start", true, a.started)
	return a, nil
}

// Clock returns the clock of a configuration: the system's, moved by embedded.clock_offset.
func Clock(cfg config.Config) func() time.Time {
	offset := cfg.Embedded.ClockOffset
	if offset == 0 {
		return time.Now
	}
	return func() time.Time { return time.Now().Add(offset) }
}

// checkRoles returns each named role once, or all roles if none is named. Roles in several processes need a broker that all of
// them can reach.
func checkRoles(cfg config.Config, named []topology.Role) ([]topology.Role, error) {
	all := topology.Roles()
	if len(named) == 0 {
		return all, nil
	}
	var roles []topology.Role
	for _, role := range named {
		if !slices.Contains(all, role) {
			return nil, fmt.Errorf("there is no role %q; roles are %s", role, JoinRoles(all))
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	if len(cfg.Kafka.Brokers) == 0 && len(roles) < len(all) {
		return nil, errors.New("kafka.brokers is empty, and the embedded broker serves one process with all roles: set kafka.brokers, or name no role")
	}
	return roles, nil
}

// JoinRoles formats roles as one line.
func JoinRoles(roles []topology.Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}

// Run starts the process and runs it until ctx ends or a part of it fails. Then it accepts no more work, finishes the records
// and webhooks in progress, and stops its parts in the reverse order of their start. Call it once.
func (a *App) Run(ctx context.Context) error {
	defer a.close()
	a.metrics.Build(a.version)
	a.logStart()
	if err := a.exportConfiguration(); err != nil {
		return err
	}
	if err := a.startAdmin(ctx); err != nil {
		return err
	}
	a.startTracing()
	if err := a.connect(); err != nil {
		return err
	}
	a.logStores(a.cfg.Stores)
	parts, err := a.newParts(a.cfg, a.roles)
	if err != nil {
		return err
	}
	a.parts = parts
	if a.check, err = a.newBrokerCheck(a.cluster); err != nil {
		return err
	}
	if err := a.check.once(ctx); err != nil {
		return err
	}
	return a.serve(ctx)
}

// connect opens what the roles share: the brokers, the producer, and the reader of lags.
func (a *App) connect() (err error) {
	if a.cluster, err = a.openCluster(); err != nil {
		return err
	}
	a.cluster.Metrics = a.metrics
	compression, err := kafka.ParseCompression(a.cfg.Kafka.Compression)
	if err != nil {
		return fmt.Errorf("kafka.compression: %w", err)
	}
	producer := kafka.NewProducer(a.cluster, kafka.ProducerConfig{Compression: compression, Partitions: PartitionCount(a.cfg.Kafka)})
	a.onClose("close producer", producer.Close)
	a.runtime = pipeline.Runtime{
		Topics:  topology.Topics{Prefix: a.cfg.Kafka.TopicPrefix},
		Produce: producer.Produce, Metrics: a.metrics, Tracer: a.tracer, Log: a.log, Now: a.now,
	}
	if slices.Equal(a.roles, []topology.Role{topology.RoleGateway}) {
		return nil
	}
	a.lags, err = newLagWatch(a.cluster, a.log, a.now)
	return err
}

func (a *App) logStart() {
	a.log.Info("starting", zap.String("version", a.version.Version), zap.String("roles", JoinRoles(a.roles)))
	if offset := a.cfg.Embedded.ClockOffset; offset != 0 {
		a.log.Warn("the clock is moved, for a trial", zap.String("setting", "embedded.clock_offset"), zap.Duration("offset", offset), zap.Time("now", a.now()))
	}
}

// AdminAddress is the address of /metrics and /readyz; empty until that port is open.
func (a *App) AdminAddress() string {
	address, _ := a.admin.Load().(string)
	return address
}

// GatewayAddress is the address for webhooks; empty until that port is open, and without the gateway role.
func (a *App) GatewayAddress() string {
	address, _ := a.gateway.Load().(string)
	return address
}

func (a *App) has(role topology.Role) bool { return slices.Contains(a.roles, role) }

func (a *App) started() error {
	if !a.running.Load() {
		return errors.New("still starting")
	}
	return nil
}

func (a *App) onClose(what string, undo func() error) {
	closer := func() {
		if err := undo(); err != nil {
			a.log.Warn(what+" failed", zap.Error(err))
		}
	}
	a.mutex.Lock()
	closed := a.closed
	if !closed {
		a.closers = append(a.closers, closer)
	}
	a.mutex.Unlock()
	if closed {
		closer()
	}
}

// takeClosers returns what undoes what was started, last first, the parts before all else.
func (a *App) takeClosers() []func() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.closed = true
	closers := append(a.closers, a.closeAll)
	slices.Reverse(closers)
	return closers
}

// close undoes what was started. It does not wait longer than shutdown_timeout, counted from the stop, for whatever does not end:
// the end of the process ends it.
func (a *App) close() {
	if a.stopBy.IsZero() { // a failed start
		a.stopBy = time.Now().Add(a.cfg.ShutdownTimeout)
	}
	timeout := time.NewTimer(time.Until(a.stopBy))
	defer timeout.Stop()
	for _, undo := range a.takeClosers() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			undo()
		}()
		select {
		case <-done:
		case <-timeout.C:
			a.log.Error("shutdown exceeded shutdown_timeout, ending the process", zap.Duration("shutdown_timeout", a.cfg.ShutdownTimeout))
			return
		}
	}
}

// closeAll closes the parts, while something of shutdown_timeout is left.
func (a *App) closeAll() {
	ctx, cancel := context.WithDeadline(context.Background(), a.stopBy.Add(-time.Second))
	defer cancel()
	a.closeParts(ctx, a.allParts())
}
