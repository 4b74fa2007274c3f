package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
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
	// FaultPoint kills or freezes the process at a step, for tests: see faultpoint_enabled.go. Builds without the tag
	// faultpoints ignore it.
	FaultPoint string
}

// App is one process with its roles.
type App struct {
	cfg        config.Config
	roles      []topology.Role
	log        *zap.Logger
	logLevel   zap.AtomicLevel
	version    telemetry.Version
	now        func() time.Time
	began      time.Time
	faultPoint func(name string) // of Options.FaultPoint; nil: none
	metrics    *telemetry.Metrics
	health     *telemetry.Health
	tracer     *tracing.Tracer          // nil without tracing
	apiClients map[string]lookup.Client // of Recharge's API, by store
	lookups    *lookup.Queue            // nil without the transformer
	flows      *flowBook                // nil without the sms role
	consent    *consent.Table           // nil if no text is sent
	texting    *texting                 // likewise
	watches    []*registration.Watch    // of webhooks registered at Recharge
	running    atomic.Bool
	admin      atomic.Value // address of the admin port
	gateway    atomic.Value // address of the gateway
	closers    []func()     // undo what was started, last first
	stopBy     time.Time    // when everything must have ended; zero while it runs
}

// New checks the roles, and returns an App that is not started. Without roles the App runs all of
// them. An error means wrong arguments or configuration: a retry fails too.
func New(cfg config.Config, roles []topology.Role, o Options) (*App, error) {
	roles, err := checkRoles(cfg, roles)
	if err != nil {
		return nil, err
	}
	faultPoint, err := newFaultPoint(o.FaultPoint, o.Log)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = Clock(cfg)
	}
	a := &App{
		cfg: cfg, roles: roles, log: o.Log, logLevel: o.LogLevel, version: o.Version, now: o.Now, began: o.Now(), faultPoint: faultPoint,
		metrics: telemetry.NewMetrics(), health: telemetry.NewHealth(),
	}
	a.health.Register("start", true, a.started)
	if a.has(topology.RoleSMS) {
		a.flows = newFlowBook(cfg.Kafka, cfg.Stores, a.log)
		a.health.Register("settings", !a.has(topology.RoleGateway), a.flows.ready)
		a.health.Register("flows", false, a.flows.trouble)
		a.health.Register("paused texts", false, a.flows.held)
	}
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
	cluster, err := a.cluster()
	if err != nil {
		return err
	}
	cluster.Metrics = a.metrics
	compression, err := kafka.ParseCompression(a.cfg.Kafka.Compression)
	if err != nil {
		return fmt.Errorf("kafka.compression: %w", err)
	}
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression, Partitions: PartitionCount(a.cfg.Kafka)})
	a.onClose("close producer", producer.Close)
	runtime := pipeline.Runtime{
		Topics:  topology.Topics{Prefix: a.cfg.Kafka.TopicPrefix},
		Produce: producer.Produce, Metrics: a.metrics, Tracer: a.tracer, Log: a.log, Now: a.now,
	}
	options, err := a.options()
	if err != nil {
		return err
	}
	a.logStores(options.Stores)
	if err := errors.Join(a.openState(cluster, runtime, &options), a.openTexts(cluster, runtime, &options)); err != nil {
		return err
	}
	stages, err := pipeline.Stages(a.roles, options, runtime)
	if err != nil {
		return err
	}
	check, err := a.newBrokerCheck(cluster)
	if err != nil {
		return err
	}
	if err := check.once(ctx); err != nil {
		return err
	}
	return a.serve(ctx, cluster, check, runtime, stages)
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
	a.closers = append(a.closers, func() {
		if err := undo(); err != nil {
			a.log.Warn(what+" failed", zap.Error(err))
		}
	})
}

// close undoes what was started. It does not wait longer than shutdown_timeout, counted from the stop, for whatever does not end:
// the end of the process ends it.
func (a *App) close() {
	if a.stopBy.IsZero() { // a failed start
		a.stopBy = time.Now().Add(a.cfg.ShutdownTimeout)
	}
	timeout := time.NewTimer(time.Until(a.stopBy))
	defer timeout.Stop()
	for _, undo := range slices.Backward(a.closers) {
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
