package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"time"
)

// Admin is the HTTP server for operators and health checks, on its own port:
//
//	/metrics  for Prometheus
//	/healthz  200 while the process runs; it has no other condition, so that a Kafka outage does not restart processes
//	/readyz   200 or 503 and a Report, see Health
//	/version  a Version
//
// and what debug.go adds.
type Admin struct {
	mux    *http.ServeMux
	server *http.Server
	addr   net.Addr
	served chan error
}

// NewAdmin returns a server for listen (host:port or :port) that is not started yet.
func NewAdmin(listen string, m *Metrics, h *Health, v Version) *Admin {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // an error means that the client is gone
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
	return &Admin{mux: mux, server: &http.Server{
		Addr: listen, Handler: mux,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}}
}

// LogErrors makes the server log its own errors, see NewHTTPLog; by default it writes text to standard error. Call it before Start.
func (a *Admin) LogErrors(to *stdlog.Logger) { a.server.ErrorLog = to }

func writeJSON(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // an error means that the client is gone
}

// Start opens the port and serves in the background until Shutdown. An error means that the port can't be opened; then nothing
// is running.
func (a *Admin) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.server.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.server.Addr, err)
	}
	a.addr = listener.Addr()
	a.served = make(chan error, 1)
	go func() { a.served <- a.server.Serve(listener) }()
	return nil
}

// Addr returns the address on which Start listens, such as for port 0; empty before Start.
func (a *Admin) Addr() string {
	if a.addr == nil {
		return ""
	}
	return a.addr.String()
}

// Shutdown waits for running requests until ctx ends, then aborts them, and returns when the server has stopped. Without Start
// it does nothing. An error means that requests were aborted, or that the server had stopped before.
func (a *Admin) Shutdown(ctx context.Context) error {
	if a.served == nil {
		return nil
	}
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("finish requests to the admin port: %w", err), a.server.Close())
	}
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve admin port: %w", served))
	}
	a.served = nil
	return err
}
