package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// Limits of requests. An answer has no limit of time, because streams of events last.
const (
	maxHeader     = 32 << 10
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	finishWithin  = 5 * time.Second
)

// Config is what the server of the console needs.
type Config struct {
	Listen         string
	MaxConnections int
	Log            *zap.Logger
	Now            func() time.Time
}

// Server serves a Site. The site may change while the port is open: a request ends with the one that it began with.
type Server struct {
	cfg         Config
	listener    net.Listener
	connections *httplimit.Connections
	handler     atomic.Pointer[http.Handler]
}

// Open opens the port.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for the console on %s: %w", cfg.Listen, err)
	}
	s := &Server{cfg: cfg, listener: listener}
	s.connections = httplimit.NewConnections(cfg.MaxConnections, cfg.Now, func(int, time.Duration) {})
	return s, nil
}

// Address is the address of the port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Connections returns how many connections are open, and how many were closed because of the limit.
func (s *Server) Connections() (open func() int, evicted func() int64) {
	return s.connections.Open, s.connections.Evicted
}

// Use answers requests from now on with a handler.
func (s *Server) Use(handler http.Handler) { s.handler.Store(&handler) }

// ServeHTTP is part of http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := s.handler.Load()
	if handler == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the console is starting", http.StatusServiceUnavailable)
		return
	}
	(*handler).ServeHTTP(w, r)
}

// Close closes the port of a server that does not run.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close port of the console: %w", err)
	}
	return nil
}

// Run serves until ctx ends. Then it calls stopping, which must end the streams of events, and finishes the requests in progress.
func (s *Server) Run(ctx context.Context, stopping func()) error {
	server := &http.Server{
		Handler: s, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		ConnState: s.connections.State, ConnContext: s.connections.Context, ErrorLog: telemetry.NewHTTPLog(s.cfg.Log, "console", s.cfg.Now),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopping()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	}()
	s.cfg.Log.Info("listening for the console", zap.Stringer("address", s.listener.Addr()))
	if err := server.Serve(s.connections.Listen(s.listener)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve console: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("finish requests to the console: %w", err)
	}
	return nil
}
