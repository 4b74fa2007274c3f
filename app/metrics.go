package app

import (
	"context"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// exportConfiguration exports what is configured, for alerts on what is missing, and whether the process is ready.
func (a *App) exportConfiguration() error {
	spec, err := BuiltInTopics(a.cfg.Kafka)
	if err != nil {
		return err
	}
	for _, group := range Groups(a.cfg) {
		a.metrics.GroupConfigured(string(group.Role), group.Name)
	}
	for _, topic := range spec.Topics {
		if keeps, limited := retention(topic); limited {
			a.metrics.TopicRetention(topic.Name, keeps)
		}
	}
	for _, role := range a.roles {
		a.metrics.Ready(string(role), func() bool { return a.health.Report().Status == telemetry.StatusReady })
	}
	a.metrics.Certificates(func() []telemetry.Certificate { return certificates(a.cfg.Kafka.TLS) })
	if a.has(topology.RoleGateway) {
		for _, store := range a.cfg.Stores {
			a.metrics.StoreConfigured(store.Name)
		}
	}
	return nil
}

// retention returns how long a topic keeps its records. A compacted topic has no limit.
func retention(topic admin.TopicSpec) (keeps time.Duration, limited bool) {
	milliseconds, err := strconv.ParseInt(topic.Configs["retention.ms"], 10, 64)
	return time.Duration(milliseconds) * time.Millisecond, err == nil && milliseconds > 0
}

// observe returns the observer of a store's calls to a destination.
func (a *App) observe(destination, store string) httpclient.Observer {
	return func(ctx context.Context, call httpclient.Call) {
		a.metrics.Call(destination, store, call.Outcome, call.Took)
		if !call.CertificateExpires.IsZero() {
			a.metrics.DestinationCertificate(destination, call.Host, call.CertificateExpires, call.Began)
		}
		a.tracer.Call(ctx, destination, store, call)
	}
}
