package pipeline

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// RefusedByServer counts an answer that net/http gave without calling the handler, and the time since the first byte of the request.
func (g *Gateway) RefusedByServer(status int, took time.Duration) {
	g.run.Metrics.Record(string(topology.RoleGateway), unknownStore, string(stage.KindRefused), string(admission.ReasonOfServer(status)))
	g.run.Metrics.Response(status, took)
}

// unknownStore is the label of requests to no configured store: a caller must not choose a label.
const unknownStore = "unknown"

// answerError writes any error as a JSON response, with advice.
func (g *Gateway) answerError(err error, c echo.Context) {
	r, store := asRefusal(err), g.storeOf(c)
	c.Response().Header().Set("Connection", "close") // else net/http waits for a body that was not read
	if r.Status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(g.cfg.RetryAfter.Seconds())))
	}
	g.run.Metrics.Record(string(topology.RoleGateway), store, string(stage.KindRefused), string(r.Reason))
	g.refused.Log("webhook refused", g.masker.Mask(c.Request()), zap.String("store", store), zap.Int("status", r.Status), zap.String("reason", string(r.Reason)),
		zap.String(envelope.HeaderRechargeTopic, knownTopic(c)), zap.String(envelope.HeaderTraceparent, c.Request().Header.Get(envelope.HeaderTraceparent)))
	if err := c.JSON(r.Status, map[string]string{"error": string(r.Reason), "message": r.Advice}); err != nil {
		g.run.Log.Debug("write response failed, caller disconnected", zap.Error(err))
	}
}

// storeOf returns the store of the path, unknownStore if there is none with this name.
func (g *Gateway) storeOf(c echo.Context) string {
	if store := c.Param("store"); g.admission.Knows(store) {
		return store
	}
	return unknownStore
}

// knownTopic returns the topic of the path, "" if Recharge does not have it.
func knownTopic(c echo.Context) string {
	if topic := address(c).Topic(); topic.Known() {
		return string(topic)
	}
	return ""
}

func asRefusal(err error) *admission.Refusal {
	var r *admission.Refusal
	if errors.As(err, &r) {
		return r
	}
	status := http.StatusInternalServerError
	var fromEcho *echo.HTTPError
	if errors.As(err, &fromEcho) {
		status = fromEcho.Code
	}
	return &admission.Refusal{Status: status, Reason: reason.UnknownPath, Advice: admission.AddressForm}
}
