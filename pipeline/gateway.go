package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// GatewayConfig is what the gateway accepts.
type GatewayConfig struct {
	// Secrets are each store's API client secrets, by store name.
	Secrets map[string][]string
	// BodyLimit is the greatest body in bytes.
	BodyLimit int64
	// PublishTimeout is how long Kafka may take. Recharge waits 5 s for an answer
	// in all, https://docs.getrecharge.com/docs/webhooks-overview.
	PublishTimeout time.Duration
	// RetryAfter is what a 503 tells the caller to wait.
	RetryAfter time.Duration
}

// Gateway takes webhooks over HTTP.
//
//	in         POST /webhooks/{store}/{resource}/{action}, signed by Recharge
//	out        recharge.webhooks: the body untouched, keyed by customer
//	guarantee  a 200 means that every in-sync replica has it
//	on failure 503: Recharge sends it again; anything refused is not stored
type Gateway struct {
	cfg   GatewayConfig
	run   Runtime
	topic *regexp.Regexp
}

// NewGateway needs all of cfg.
func NewGateway(cfg GatewayConfig, run Runtime) *Gateway {
	return &Gateway{cfg: cfg, run: run, topic: regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)}
}

// Handler serves the gateway's one route; whatever else is asked for is a 404 in JSON.
func (g *Gateway) Handler() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = g.answerError
	e.POST("/webhooks/:store/:resource/:action", g.take)
	return e
}

// take is the way of one webhook.
func (g *Gateway) take(c echo.Context) error {
	began := g.run.Now()
	store := c.Param("store")
	secrets, known := g.cfg.Secrets[store]
	if !known {
		return refuse(http.StatusNotFound, ReasonUnknownStore, "no such store; the address is /webhooks/{store}/{resource}/{action}, with a store of the configuration")
	}
	topic := recharge.Topic(c.Param("resource") + "/" + c.Param("action"))
	if !g.topic.MatchString(c.Param("resource")) || !g.topic.MatchString(c.Param("action")) {
		return refuse(http.StatusNotFound, ReasonUnknownPath, "the address ends in a Recharge topic, for example /subscription/created")
	}
	body, err := g.read(c)
	if err != nil {
		return err
	}
	scheme, err := recharge.Verify(c.Request().Header, body, secrets, began)
	if err != nil {
		return refuse(http.StatusUnauthorized, signatureReason(err), err.Error()+"; sign with the API client secret of the token that registered the webhook")
	}
	if !json.Valid(body) {
		return refuse(http.StatusBadRequest, ReasonNotJSON, "the body must be one JSON document")
	}
	record := g.record(c.Request().Header, store, topic, body, began)
	if err := g.publish(c, record); err != nil {
		g.run.Log.Error("kafka did not take a webhook", zap.String("store", store), zap.String("recharge_topic", string(topic)), zap.Error(err))
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(g.cfg.RetryAfter.Seconds())))
		return refuse(http.StatusServiceUnavailable, ReasonKafkaUnavailable, "not stored; send it again")
	}
	g.accepted(record, scheme, began)
	return c.NoContent(http.StatusOK)
}

func (g *Gateway) read(c echo.Context) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, g.cfg.BodyLimit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, refuse(http.StatusRequestEntityTooLarge, ReasonBodyTooLarge, "the body is over "+strconv.FormatInt(g.cfg.BodyLimit, 10)+" bytes (gateway.body_limit)")
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, ReasonBodyUnreadable, "the body ended early; send it again")
	}
	return body, nil
}

func signatureReason(err error) Reason {
	switch {
	case errors.Is(err, recharge.ErrNoSignature):
		return ReasonNoSignature
	case errors.Is(err, recharge.ErrSignatureExpired):
		return ReasonSignatureExpired
	}
	return ReasonBadSignature
}

// record is the raw webhook. Its key keeps a customer's webhooks in order; the
// resource stands in where the body names no customer.
func (g *Gateway) record(h http.Header, store string, topic recharge.Topic, body []byte, at time.Time) kafka.Record {
	owner := recharge.FindOwner(topic.Resource(), body)
	key := store + "/" + owner.CustomerID
	if owner.CustomerID == "" {
		key = store + "/" + topic.Resource() + "/" + owner.ResourceID
	}
	headers := []kafka.Header{
		header(HeaderTopic, string(topic)),
		header(HeaderStore, store),
		header(HeaderReceivedAt, at.UTC().Format(time.RFC3339Nano)),
		header(HeaderDeliveryHash, recharge.DeliveryHash(topic, body)),
		header(HeaderOrigin, OriginWebhook),
		header(HeaderTraceparent, telemetry.EnsureTraceparent(h.Get(HeaderTraceparent))),
	}
	for _, name := range recharge.KeptHeaders() {
		if value := h.Get(name); value != "" && len(value) <= maxHeader {
			headers = append(headers, header(strings.ToLower(name), value))
		}
	}
	return kafka.Record{Topic: g.run.Topics.Webhooks(), Partition: kafka.ByKey, Key: []byte(key), Value: body, Headers: headers, Time: at}
}

// maxHeader is the longest header of a delivery that is kept: Recharge's have
// under 200 bytes.
const maxHeader = 1 << 10

// publish goes on when the caller hangs up: it may be stored already.
func (g *Gateway) publish(c echo.Context, record kafka.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), g.cfg.PublishTimeout)
	defer cancel()
	return g.run.Producer.Produce(ctx, record)
}

func (g *Gateway) accepted(r kafka.Record, scheme recharge.Scheme, began time.Time) {
	store := r.Header(HeaderStore)
	g.run.Metrics.Ingest(store, g.run.Now().Sub(began))
	g.run.Metrics.Record(string(RoleGateway), store, string(OutcomeAccepted), "")
	g.run.Log.Info("webhook accepted", zap.String("role", string(RoleGateway)), zap.String("store", store),
		zap.ByteString("key", r.Key), zap.String(HeaderTopic, r.Header(HeaderTopic)), zap.String(HeaderDeliveryHash, r.Header(HeaderDeliveryHash)),
		zap.String(HeaderTraceparent, r.Header(HeaderTraceparent)),
		zap.String("signature", string(scheme)), zap.Int("bytes", len(r.Value)))
	if said := r.Header(strings.ToLower(recharge.HeaderTopic)); said != "" && said != r.Header(HeaderTopic) {
		// the header is not signed: what it says does not belong into a log
		g.run.Log.Warn("webhook names another topic than its address", zap.String("store", store), zap.String(HeaderTopic, r.Header(HeaderTopic)))
	}
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	reason Reason
	advice string
}

// Error is the reason.
func (r *refusal) Error() string { return string(r.reason) }

func refuse(status int, why Reason, advice string) error {
	return &refusal{status: status, reason: why, advice: advice}
}

// answerError turns any error of a request into JSON that says what to do.
func (g *Gateway) answerError(err error, c echo.Context) {
	r := asRefusal(err)
	store := c.Param("store")
	if _, known := g.cfg.Secrets[store]; !known {
		store = "unknown" // a caller must not choose a label
	}
	g.run.Metrics.Record(string(RoleGateway), store, string(OutcomeRefused), string(r.reason))
	g.run.Log.Warn("webhook refused", zap.String("role", string(RoleGateway)), zap.String("store", store),
		zap.Int("status", r.status), zap.String("reason", string(r.reason)), zap.String(HeaderTopic, g.named(c)))
	if err := c.JSON(r.status, map[string]string{"error": string(r.reason), "message": r.advice}); err != nil {
		g.run.Log.Debug("answer not written", zap.Error(err))
	}
}

// named is the topic that an address names, "" when it is none: what a stranger
// writes into an address doesn't belong into a log.
func (g *Gateway) named(c echo.Context) string {
	if topic := recharge.Topic(c.Param("resource") + "/" + c.Param("action")); topic.Known() {
		return string(topic)
	}
	return ""
}

func asRefusal(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	status := http.StatusInternalServerError
	var fromEcho *echo.HTTPError
	if errors.As(err, &fromEcho) {
		status = fromEcho.Code
	}
	return &refusal{status: status, reason: ReasonUnknownPath, advice: "send a POST to /webhooks/{store}/{resource}/{action}"}
}
