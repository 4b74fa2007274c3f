package app

import (
	"context"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// uploadSpansWithin limits how long the upload of the last spans may take during shutdown.
const uploadSpansWithin = 5 * time.Second

// startTracing makes the tracer, if a collector is configured. Spans of all other parts end before it is closed.
func (a *App) startTracing() {
	cfg := a.cfg.Tracing
	if cfg.Endpoint == "" {
		return
	}
	var headers []string
	for _, header := range cfg.Headers {
		headers = append(headers, header.Reveal())
	}
	trouble := &telemetry.Trouble{Name: "trace collector", Log: a.log, Now: a.now}
	a.tracer = tracing.New(tracing.Config{
		Endpoint: cfg.Endpoint, Headers: headers, SampleRatio: cfg.SampleRatio, Version: a.version.Version, Roles: JoinRoles(a.roles),
		Uploaded: func(err error) {
			if err == nil {
				trouble.Over()
				return
			}
			trouble.Failed(err, "spans are lost", "with the next spans")
		},
	})
	a.log.Info("tracing", zap.String("collector", hostOf(cfg.Endpoint)), zap.Float64("sample_ratio", cfg.SampleRatio))
	a.onClose("close tracing", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), min(uploadSpansWithin, time.Until(a.stopBy)/2))
		defer cancel()
		return a.tracer.Close(ctx)
	})
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// traced makes the calls of a lookup spans of the webhook that needs it.
type traced struct{ lookup.Client }

// Lookup is part of lookup.Client.
func (t traced) Lookup(ctx context.Context, r recharge.LookupRequest) (recharge.Lookup, error) {
	return t.Client.Lookup(tracing.With(ctx, r.Traceparent), r)
}
