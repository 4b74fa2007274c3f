package telemetry

import (
	"fmt"
	"net/http"
	"net/http/pprof"

	"go.uber.org/zap"
)

// ServeLogLevel adds /log/level: GET returns the level, PUT {"level":"debug"} changes it until the process ends. Call it before
// Start.
func (a *Admin) ServeLogLevel(level zap.AtomicLevel, log *zap.Logger) {
	a.mux.Handle("GET /log/level", level)
	a.mux.HandleFunc("PUT /log/level", func(w http.ResponseWriter, r *http.Request) {
		before := level.Level()
		level.ServeHTTP(w, r)
		switch after := level.Level(); {
		case after > zap.ErrorLevel: // errors are always logged
			level.SetLevel(zap.ErrorLevel)
		case after == before:
			return
		}
		log.Log(max(level.Level(), zap.InfoLevel), "log level changed", zap.Stringer("from", before), zap.Stringer("to", level.Level()))
	})
}

// ServePprof adds Go's profiles under /debug/pprof/. They hold parts of the memory. Call it before Start.
func (a *Admin) ServePprof() {
	a.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	for name, handler := range map[string]http.HandlerFunc{
		"cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		a.mux.HandleFunc(fmt.Sprintf("GET /debug/pprof/%s", name), handler)
	}
}
