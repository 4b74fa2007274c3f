package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Admin serves operators and probes on a port of its own:
//
//	/metrics  for Prometheus
//	/healthz  200 while the process lives; never depends on anything else, so that a broken Kafka restarts nothing
//	/readyz   200 or 503 and a Report, see Health
//	/version  a Version
type Admin struct {
	server *http.Server
	addr   net.Addr
	served chan error
}

// NewAdmin returns a server for listen (host:port or :port) that is not started yet.
func NewAdmin(listen string, m *Metrics, h *Health, v Version) *Admin {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // the probe is gone: nobody to tell
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		report := h.Report()
		code := http.StatusOK
		if report.Status != StatusReady {
			code = http.StatusServiceUnavailable
		}
		writeJSON(w, code, report)
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, v)
	})
	return &Admin{server: &http.Server{
		Addr: listen, Handler: mux,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}}
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the probe is gone: nobody to tell
}

// Start takes the port and serves in the background until Shutdown. An error says that the port is not to
// be had; nothing runs then.
func (a *Admin) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.server.Addr)
	if err != nil {
		return fmt.Errorf("listen for operators on %s: %w", a.server.Addr, err)
	}
	a.addr = listener.Addr()
	a.served = make(chan error, 1)
	go func() { a.served <- a.server.Serve(listener) }()
	return nil
}

// Addr is the address taken by Start, for a listen address with port 0; empty before.
func (a *Admin) Addr() string {
	if a.addr == nil {
		return ""
	}
	return a.addr.String()
}

// Shutdown lets running requests finish until ctx ends, then cuts them off, and returns when nothing of the
// server runs any more. Without Start it does nothing. An error tells that requests were cut off, or why the
// server stopped serving before.
func (a *Admin) Shutdown(ctx context.Context) error {
	if a.served == nil {
		return nil
	}
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("finish requests of operators: %w", err), a.server.Close())
	}
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve operators: %w", served))
	}
	a.served = nil
	return err
}
