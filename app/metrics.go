package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
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
	for _, topic := range spec.Topics {
		if keeps, limited := retention(topic); limited {
			a.metrics.TopicRetention(topic.Name, keeps)
		}
	}
	for _, role := range a.roles {
		a.metrics.Ready(string(role), func() bool { return a.health.Report().Status == telemetry.StatusReady })
	}
	a.metrics.Certificates(func() []telemetry.Certificate { return certificates(a.cfg.Kafka.TLS) })
	a.metrics.Reloaded(a.now(), 0)
	a.exportStores(config.Config{}, a.cfg)
	return nil
}

// exportStores exports the stores and groups of a configuration that takes the place of another one.
func (a *App) exportStores(before, next config.Config) {
	groups := Groups(next)
	for _, group := range groups {
		a.metrics.GroupConfigured(string(group.Role), group.Name)
	}
	for _, group := range Groups(before) {
		if !slices.ContainsFunc(groups, func(g topology.Group) bool { return g.Name == group.Name }) {
			a.metrics.GroupRemoved(string(group.Role), group.Name)
		}
	}
	if !a.has(topology.RoleGateway) {
		return
	}
	for _, store := range next.Stores {
		a.metrics.StoreConfigured(store.Name)
	}
	for _, store := range before.Stores {
		if _, found := next.Store(store.Name); !found {
			a.metrics.StoreRemoved(store.Name)
		}
	}
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

// certificates returns when the certificates of kafka.tls expire, from their files. A file that can't be read has no entry: the
// next connection to Kafka reports it.
func certificates(t config.KafkaTLS) (all []telemetry.Certificate) {
	if !t.Enabled {
		return nil
	}
	// a client certificate is the first of its file, the others are its chain; of several authorities brokers need only one
	if dates := expiries(t.CertFile); len(dates) > 0 {
		all = append(all, telemetry.Certificate{Use: "kafka_client", Expires: dates[0]})
	}
	if dates := expiries(t.CAFile); len(dates) > 0 {
		all = append(all, telemetry.Certificate{Use: "kafka_ca", Expires: last(dates)})
	}
	return all
}

// expiries returns the expiry of each certificate in a PEM file, in their order.
func expiries(file string) (dates []time.Time) {
	if file == "" {
		return nil
	}
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return dates
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			dates = append(dates, certificate.NotAfter)
		}
	}
}

func last(dates []time.Time) time.Time {
	latest := dates[0]
	for _, date := range dates {
		if date.After(latest) {
			latest = date
		}
	}
	return latest
}

// texting counts whom the stores may text. Counting takes a tenth of a second for a million numbers, so the counts are up to a minute old.
type texting struct {
	texter *texter
	stores []config.Store // that send texts

	mutex  sync.Mutex
	at     time.Time
	counts map[string]map[string]int
}

const countEvery = time.Minute

// report is what is exported.
func (t *texting) report() (all []telemetry.Texting) {
	if len(t.stores) == 0 {
		return nil
	}
	counts := t.numbers()
	for _, store := range t.stores {
		paused := map[string]bool{}
		for _, key := range flow.Keys() {
			paused[string(key)] = t.texter.flows.paused(store.Name, key)
		}
		all = append(all, telemetry.Texting{Store: store.Name, Consent: store.SMS.Consent, Numbers: counts[store.Name], Paused: paused})
	}
	return all
}

// numbers returns how many numbers of each store have opted in and out; nothing until that is read.
func (t *texting) numbers() map[string]map[string]int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	select {
	case <-t.texter.consent.Ready():
	default:
		return nil
	}
	if now := t.texter.app.now(); now.Sub(t.at) >= countEvery {
		t.at, t.counts = now, map[string]map[string]int{}
		for _, store := range t.stores {
			in, out := t.texter.consent.Count(store.Name)
			t.counts[store.Name] = map[string]int{string(consent.OptedIn): in, string(consent.OptedOut): out}
		}
	}
	return t.counts
}

// logReady logs whom each store may text.
func (t *texting) logReady() {
	counts := t.numbers()
	for _, store := range t.stores {
		t.texter.app.log.Info("consent read", zap.String("store", store.Name), zap.String("consent", store.SMS.Consent),
			zap.String("texts_go_to", consent.Mode(store.SMS.Consent).Explain()),
			zap.Int("opted_in", counts[store.Name][string(consent.OptedIn)]), zap.Int("opted_out", counts[store.Name][string(consent.OptedOut)]))
	}
}
