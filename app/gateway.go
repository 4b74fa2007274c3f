package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// listen opens the gateway's port before anything is consumed; nil without the gateway.
func (a *App) listen(ctx context.Context) (net.Listener, error) {
	if !a.has(topology.RoleGateway) {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.Gateway.Listen)
	if err != nil {
		return nil, fmt.Errorf("gateway.listen: listen for webhooks on %s: %w", a.cfg.Gateway.Listen, err)
	}
	a.gateway.Store(listener.Addr().String())
	return listener, nil
}

// Limits of requests before anybody is verified. Recharge gives up after 5 s, and its headers have less than 2 KiB.
const (
	maxHeader     = 32 << 10
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 20 * time.Second // from the end of the header: reading the body, publishing and answering
	idleTimeout   = 2 * time.Minute
)

// finishWebhooks limits how long requests in progress may take when the gateway stops. Recharge waits 5 s for a response
// (https://docs.getrecharge.com/docs/webhooks-overview), so after that nobody reads it.
const finishWebhooks = 8 * time.Second

// webhooks serves the requests to the gateway with the settings that are in force. A request ends with those that it began with.
type webhooks struct {
	bodies     *httplimit.Budget
	signatures *admission.Signatures
	current    atomic.Pointer[accepting]
}

type accepting struct {
	gateway *pipeline.Gateway
	handler http.Handler
}

func newWebhooks(cfg config.Gateway) *webhooks {
	return &webhooks{bodies: httplimit.NewBudget(int64(cfg.BodyMemory)), signatures: admission.NewSignatures()}
}

// ServeHTTP is part of http.Handler.
func (w *webhooks) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	w.current.Load().handler.ServeHTTP(answer, r)
}

// refusedByServer counts a request that net/http or the limit of connections has refused.
func (w *webhooks) refusedByServer(status int, took time.Duration) {
	w.current.Load().gateway.RefusedByServer(status, took)
}

// newAccepting returns what accepts the webhooks and callbacks of the configured stores; nil without the gateway role.
func (a *App) newAccepting(cfg config.Config) (*accepting, error) {
	if !a.has(topology.RoleGateway) {
		return nil, nil //nolint:nilnil // documented
	}
	config, err := a.gatewayConfig(cfg)
	if err != nil {
		return nil, err
	}
	gateway := pipeline.NewGateway(config, a.runtime)
	return &accepting{gateway, gateway.Handler()}, nil
}

// accept puts it in the place of the one before. The port stays open.
func (w *webhooks) accept(next *accepting) { w.current.Store(next) }

// serveGateway serves webhooks until ctx ends, then finishes the requests in progress. Requests that take longer are aborted:
// Recharge sends their webhooks again.
func (a *App) serveGateway(ctx context.Context, listener net.Listener) error {
	connections := httplimit.NewConnections(a.cfg.Gateway.MaxConnections, a.now, a.webhooks.refusedByServer)
	a.metrics.GatewayLimits(connections.Open, connections.Evicted, a.webhooks.bodies.Used)
	server := &http.Server{
		Handler:           a.webhooks,
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ConnState:         connections.State,
		ConnContext:       connections.Context,
	}
	server.ErrorLog = telemetry.NewHTTPLog(a.log, "gateway", a.now)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(finishWebhooks, a.cfg.ShutdownTimeout*3/5))
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			a.log.Warn("finish webhooks took too long, aborting those in progress; Recharge sends them again")
			err = server.Close()
		}
		stopped <- err
	}()
	a.log.Info("listening for webhooks", zap.Stringer("address", listener.Addr()))
	if err := server.Serve(connections.Listen(listener)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve webhooks: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("finish webhooks: %w", err)
	}
	return nil
}

func (a *App) gatewayConfig(cfg config.Config) (pipeline.GatewayConfig, error) {
	senders, err := callbackStores(cfg.Stores)
	if err != nil {
		return pipeline.GatewayConfig{}, err
	}
	stores := map[string]admission.Store{}
	for _, store := range cfg.Stores {
		var secrets []string
		for _, secret := range store.Recharge.Secrets {
			secrets = append(secrets, secret.Reveal())
		}
		stores[store.Name] = admission.Store{
			Secrets: secrets, RequireAddressToken: store.Recharge.RequireAddressToken,
			TimestampedOnly: store.Recharge.Signature == config.SignatureTimestamped,
		}
	}
	topics := a.runtime.Topics
	return pipeline.GatewayConfig{
		Callbacks: callback.New(callback.Config{
			Stores: senders, Bodies: a.webhooks.bodies, Topics: callback.Topics{Consent: topics.Consent(), Receipts: topics.Receipts()},
			Partitions: a.cfg.Kafka.Partitions, Produce: a.runtime.Produce, PublishTimeout: cfg.Gateway.PublishTimeout,
			RetryAfter: cfg.Gateway.RetryAfter, Metrics: a.metrics, Log: a.log.With(zap.String("role", string(topology.RoleGateway))),
			Now:        time.Now, // providers sign by the real clock, whatever embedded.clock_offset is
			FaultPoint: a.faultPoint,
		}),
		Admission: admission.Config{
			Stores: stores, BodyLimit: int64(cfg.Gateway.BodyLimit), Bodies: a.webhooks.bodies, Signatures: a.webhooks.signatures,
		},
		PublishTimeout: cfg.Gateway.PublishTimeout, RetryAfter: cfg.Gateway.RetryAfter,
	}, nil
}
