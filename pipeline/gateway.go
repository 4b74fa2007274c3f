package pipeline

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// GatewayConfig is what the gateway accepts.
type GatewayConfig struct {
	// Admission decides which webhooks are accepted.
	Admission admission.Config
	// PublishTimeout limits a publish to Kafka. Recharge waits 5 s for a response,
	// https://docs.getrecharge.com/docs/webhooks-overview.
	PublishTimeout time.Duration
	// RetryAfter is the Retry-After header of a 503.
	RetryAfter time.Duration
	// Callbacks serves the callbacks of SMS providers; nil: none.
	Callbacks http.Handler
}

// Gateway accepts webhooks over HTTP and publishes them.
//
//	in         POST /webhooks/{store}/{resource}/{action}, signed by Recharge, perhaps with a token in the address
//	out        recharge.webhooks: the body untouched, keyed by customer
//	guarantee  a 200 means that every in-sync replica has it
//	on failure 503: Recharge sends it again; anything refused is not stored. 4xx for what Kafka would never take
type Gateway struct {
	cfg       GatewayConfig
	run       Runtime
	admission *admission.Admission
	masker    admission.Masker
	refused   *telemetry.RefusedRequests
}

// NewGateway needs all of cfg.
func NewGateway(cfg GatewayConfig, run Runtime) *Gateway {
	run.Log = run.Log.With(zap.String("role", string(topology.RoleGateway)))
	return &Gateway{
		cfg: cfg, run: run, admission: admission.New(cfg.Admission), masker: admission.NewMasker(),
		refused: telemetry.NewRefusedRequests(run.Log, run.Now),
	}
}

// Handler serves the addresses of webhooks. Any other request gets a JSON 404.
func (g *Gateway) Handler() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = g.answerError
	e.Pre(g.measured, ignoreSlashes)
	e.POST("/webhooks/:store/:resource/:action", g.accept)
	e.POST("/webhooks/:store/:resource/:action/:token", g.accept)
	if g.cfg.Callbacks != nil {
		e.POST("/callbacks/:store/:provider", echo.WrapHandler(g.cfg.Callbacks))
	}
	return e
}

// ignoreSlashes handles a path as if it had no slash at its end and no empty parts: addresses are registered like that, or a
// proxy changes them. A redirect would not help, because Recharge does not follow it.
func ignoreSlashes(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		u.Path, u.RawPath = admission.WithoutSlashes(u.Path), admission.WithoutSlashes(u.RawPath)
		return next(c)
	}
}

// measured observes the time to each answer, and makes its span. Each request has a valid traceparent from here on.
func (g *Gateway) measured(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began, span := g.run.Now(), g.run.Tracer.Ingest(c.Request())
		h := c.Request().Header
		h.Set(envelope.HeaderTraceparent, telemetry.EnsureTraceparent(h.Get(envelope.HeaderTraceparent)))
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		g.run.Metrics.Response(c.Response().Status, g.run.Now().Sub(began))
		span.End(c.Response().Status, func() (store, topic, refused string) {
			return g.storeOf(c), knownTopic(c), string(asRefusal(err).Reason)
		})
		return nil
	}
}

// accept verifies and publishes one webhook.
func (g *Gateway) accept(c echo.Context) error {
	began := g.run.Now()
	webhook, err := g.admission.Admit(c.Response(), c.Request(), address(c), began)
	if err != nil {
		return err
	}
	defer webhook.Release()
	record := webhook.Record(g.run.Topics.Webhooks(), c.Request().Header, began)
	if err := g.publish(c, record); err != nil {
		refusal := admission.NotStored(err)
		g.run.Log.Error("publish webhook failed, refusing it", zap.String("store", webhook.Store), zap.String(envelope.HeaderRechargeTopic, string(webhook.Topic)),
			zap.String(envelope.HeaderTraceparent, record.Header(envelope.HeaderTraceparent)), zap.Int("status", refusal.Status), zap.Error(err))
		return refusal
	}
	g.count(record, began)
	return c.NoContent(http.StatusOK)
}

func address(c echo.Context) admission.Address {
	return admission.Address{Store: c.Param("store"), Resource: c.Param("resource"), Action: c.Param("action"), Token: c.Param("token")}
}

// publish is not canceled when the caller disconnects: the record may be stored already.
func (g *Gateway) publish(c echo.Context, record kafka.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), g.cfg.PublishTimeout)
	defer cancel()
	return g.run.Produce(ctx, record)
}

// count counts and logs an accepted webhook.
func (g *Gateway) count(r kafka.Record, began time.Time) {
	store, topic := r.Header(envelope.HeaderStore), zap.String(envelope.HeaderRechargeTopic, r.Header(envelope.HeaderRechargeTopic))
	g.run.Metrics.Ingest(store, g.run.Now().Sub(began))
	g.run.Metrics.Record(string(topology.RoleGateway), store, string(stage.KindAccepted), "")
	if line := g.run.Log.Check(zap.InfoLevel, "webhook accepted"); line != nil {
		line.Write(zap.String("store", store), zap.ByteString("key", r.Key), topic,
			zap.String(envelope.HeaderDeliveryHash, r.Header(envelope.HeaderDeliveryHash)),
			zap.String(envelope.HeaderTraceparent, r.Header(envelope.HeaderTraceparent)),
			zap.String(envelope.HeaderVerifiedBy, r.Header(envelope.HeaderVerifiedBy)), zap.String(envelope.HeaderAddressToken, r.Header(envelope.HeaderAddressToken)),
			zap.Int("bytes", len(r.Value)))
	}
	admission.WarnOfTopic(r, g.run.Log, g.run.Metrics.UnknownTopic)
}
