package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// runRoles runs the named roles, all of them when none is named, until ctx ends
// or one of them fails. Then no more work is taken, what is in hand is finished,
// and the rest stops in the order in which it is needed.
func runRoles(ctx context.Context, loaded config.Loaded, names []string, stderr io.Writer) int {
	cfg := loaded.Config
	roles, err := rolesOf(names, cfg)
	if err == nil {
		err = checkFlows(cfg.Stores)
	}
	if err != nil {
		say(stderr, "rechargeflow run: %v\n", err)
		return exitUsage
	}
	log, err := telemetry.NewLogger(cfg.Log.Level, stderr)
	if err != nil {
		say(stderr, "rechargeflow run: %v\n", err)
		return exitUsage
	}
	p := &process{cfg: cfg, roles: roles, log: log, metrics: telemetry.NewMetrics(), health: telemetry.NewHealth()}
	if err := p.run(ctx); err != nil {
		log.Error("stopped with an error", zap.Error(err))
		return exitFailed
	}
	log.Info("stopped")
	return exitOK
}

// rolesOf checks the names. Roles in several processes need a broker they can share.
func rolesOf(names []string, cfg config.Config) ([]pipeline.Role, error) {
	all := pipeline.Roles()
	if len(names) == 0 {
		return all, nil
	}
	var roles []pipeline.Role
	for _, name := range names {
		role := pipeline.Role(name)
		if !slices.Contains(all, role) {
			return nil, fmt.Errorf("there is no role %q; roles are %s", name, joinRoles(all))
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

func joinRoles(roles []pipeline.Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}

// process is one running rechargeflow. closers undo what was started, last first.
type process struct {
	cfg     config.Config
	roles   []pipeline.Role
	log     *zap.Logger
	metrics *telemetry.Metrics
	health  *telemetry.Health
	readers map[string]lookup.Reader // access to Recharge's API, by store
	asker   *lookup.Asker            // nil without the transformer
	running atomic.Bool
	closers []func()
}

func (p *process) run(ctx context.Context) error {
	defer p.close()
	version := telemetry.ReadVersion(version)
	p.metrics.Build(version)
	p.log.Info("starting", zap.String("version", version.Version), zap.String("roles", joinRoles(p.roles)))
	p.health.Register("start", true, p.started)
	if err := p.startAdmin(ctx, version); err != nil {
		return err
	}
	cluster, err := p.cluster()
	if err != nil {
		return err
	}
	compression, err := kafka.ParseCompression(p.cfg.Kafka.Compression)
	if err != nil {
		return fmt.Errorf("kafka.compression: %w", err)
	}
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression})
	p.onClose("close producer", producer.Close)
	runtime := pipeline.Runtime{
		Topics:   pipeline.Topics{Prefix: p.cfg.Kafka.TopicPrefix},
		Producer: producer, Metrics: p.metrics, Log: p.log, Now: time.Now,
	}
	options, err := p.options(ctx)
	if err != nil {
		return err
	}
	if err := p.remember(cluster, runtime, &options); err != nil {
		return err
	}
	stages, err := pipeline.Stages(p.roles, options, runtime)
	if err != nil {
		return err
	}
	check, err := p.newBrokerCheck(cluster)
	if err != nil {
		return err
	}
	p.health.Register("brokers", false, check.state)
	if err := check.once(ctx); err != nil {
		return err
	}
	return p.serve(ctx, cluster, check, runtime, stages)
}

// serve runs the gateway and a consumer per stage until ctx ends or one fails,
// and gives them shutdown_timeout to finish.
func (p *process) serve(ctx context.Context, cluster kafka.Cluster, check *brokerCheck, runtime pipeline.Runtime, stages []*pipeline.Stage) error {
	listener, err := p.listen(ctx)
	if err != nil {
		return err
	}
	taking, stopTaking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopTaking()
	group, taking := errgroup.WithContext(taking)
	group.Go(func() error { return check.run(taking) })
	if err := p.startStages(taking, group, cluster, stages); err != nil {
		stopTaking()
		return errors.Join(err, group.Wait())
	}
	if listener != nil {
		door := newProbe(cluster, runtime.Topics.Webhooks())
		p.health.Register("gateway", true, door.check)
		group.Go(func() error { return door.run(taking) })
		group.Go(func() error { return p.serveGateway(taking, listener, runtime) })
	}
	p.running.Store(true)
	p.log.Info("running")
	select {
	case <-ctx.Done():
	case <-taking.Done(): // a part has failed
	}
	p.health.Drain()
	p.log.Info("stopping: no longer ready")
	select {
	case <-time.After(p.cfg.ShutdownDelay):
	case <-taking.Done():
	}
	stopTaking()
	p.log.Info("stopping: finishing what is in hand", zap.Duration("within", p.cfg.ShutdownTimeout))
	return p.finish(group)
}

// startStages runs a consumer for each stage, and what they need beside them.
func (p *process) startStages(ctx context.Context, group *errgroup.Group, cluster kafka.Cluster, stages []*pipeline.Stage) error {
	if len(stages) == 0 {
		return nil
	}
	lags, err := newLagWatch(cluster, p.log)
	if err != nil {
		return err
	}
	p.metrics.Lags(lags.report)
	for _, stage := range stages {
		consumer := kafka.NewConsumer(cluster, p.consumerConfig(stage, lags), p.log)
		p.watch(stage, consumer)
		lags.add(stage.Group, consumer.Status)
		group.Go(func() error { return p.consume(ctx, consumer, stage) })
	}
	if p.asker != nil {
		group.Go(func() error { return p.asker.Run(ctx) })
	}
	group.Go(func() error { return lags.run(ctx) })
	return nil
}

// finish waits for what is in hand, but not for ever.
func (p *process) finish(group *errgroup.Group) error {
	done := make(chan error, 1)
	go func() { done <- group.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(p.cfg.ShutdownTimeout):
		return fmt.Errorf("still busy after shutdown_timeout (%s); what was not committed will be worked on again", p.cfg.ShutdownTimeout)
	}
}

func (p *process) started() error {
	if !p.running.Load() {
		return errors.New("still starting")
	}
	return nil
}

func (p *process) has(role pipeline.Role) bool { return slices.Contains(p.roles, role) }

func (p *process) onClose(what string, undo func() error) {
	p.closers = append(p.closers, func() {
		if err := undo(); err != nil {
			p.log.Warn(what, zap.Error(err))
		}
	})
}

func (p *process) close() {
	for _, undo := range slices.Backward(p.closers) {
		undo()
	}
}
