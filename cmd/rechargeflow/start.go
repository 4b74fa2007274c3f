package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// stopAdminWithin is how long a scrape may take while the process stops.
const stopAdminWithin = 2 * time.Second

// startAdmin comes first and ends last, so that a stop can be watched.
func (p *process) startAdmin(ctx context.Context, version telemetry.Version) error {
	admin := telemetry.NewAdmin(p.cfg.Admin.Listen, p.metrics, p.health, version)
	if err := admin.Start(ctx); err != nil {
		return fmt.Errorf("admin.listen: %w", err)
	}
	p.onClose("stop admin port", func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopAdminWithin)
		defer cancel()
		return admin.Shutdown(ctx)
	})
	return nil
}

// cluster is the configured one, or an embedded broker.
func (p *process) cluster() (kafka.Cluster, error) {
	cluster, err := clusterOf(p.cfg.Kafka)
	if err != nil {
		return cluster, err
	}
	if cluster.SASL.Mechanism == kafka.MechanismPlain && cluster.TLS == nil {
		p.log.Warn("kafka.sasl.mechanism is PLAIN and kafka.tls.enabled is false: the password crosses the network as it is")
	}
	if len(cluster.Brokers) > 0 {
		return cluster, nil
	}
	trial := p.cfg.Kafka
	trial.Durability = config.DurabilitySingle
	spec, err := topicsSpec("", trial)
	if err != nil {
		return cluster, err
	}
	broker, err := kafka.StartEmbedded(kafka.EmbeddedConfig{Dir: p.cfg.Embedded.Dir, Listen: p.cfg.Embedded.Listen, Topics: spec}, p.log)
	if err != nil {
		return cluster, fmt.Errorf("embedded.listen, embedded.dir: %w", err)
	}
	p.onClose("close embedded broker", broker.Close)
	cluster.Brokers = broker.Brokers()
	p.log.Warn("TRIAL, ONE MACHINE: kafka.brokers is empty, so an embedded broker keeps the records in this folder, without a copy anywhere",
		zap.String("dir", p.cfg.Embedded.Dir), zap.Strings("brokers", cluster.Brokers))
	return cluster, nil
}

// listen takes the gateway's port before anything is read; nil without the gateway.
func (p *process) listen(ctx context.Context) (net.Listener, error) {
	if !p.has(pipeline.RoleGateway) {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.Gateway.Listen)
	if err != nil {
		return nil, fmt.Errorf("gateway.listen: listen for webhooks on %s: %w", p.cfg.Gateway.Listen, err)
	}
	return listener, nil
}

// serveGateway answers webhooks until ctx ends, then lets those in hand finish.
func (p *process) serveGateway(ctx context.Context, listener net.Listener, runtime pipeline.Runtime) error {
	gateway := pipeline.NewGateway(p.gatewayConfig(), runtime)
	server := &http.Server{
		Handler:           gateway.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.ShutdownTimeout)
		defer cancel()
		stopped <- server.Shutdown(drain)
	}()
	p.log.Info("listening for webhooks", zap.Stringer("address", listener.Addr()))
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve webhooks: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("finish webhooks: %w", err)
	}
	return nil
}

func (p *process) gatewayConfig() pipeline.GatewayConfig {
	secrets := map[string][]string{}
	for _, store := range p.cfg.Stores {
		for _, secret := range store.Recharge.Secrets {
			secrets[store.Name] = append(secrets[store.Name], secret.Reveal())
		}
	}
	return pipeline.GatewayConfig{
		Secrets: secrets, BodyLimit: int64(p.cfg.Gateway.BodyLimit),
		PublishTimeout: p.cfg.Gateway.PublishTimeout, RetryAfter: p.cfg.Gateway.RetryAfter,
	}
}
