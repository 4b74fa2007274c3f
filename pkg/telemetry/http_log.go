package telemetry

import (
	stdlog "log"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// Lines of net/http are logged at httpLogRate per second, and as many at once as httpLogBurst.
const (
	httpLogRate  = 1
	httpLogBurst = 10
)

// maxHTTPLog is the length in bytes to which a line of net/http is cut. A panic has its stack.
const maxHTTPLog = 4 << 10

// NewHTTPLog returns the ErrorLog of an http.Server: its lines become lines of log, with the server's name, at a limited rate,
// because anybody can cause them. A panic is an error, everything else a warning.
func NewHTTPLog(log *zap.Logger, server string, now func() time.Time) *stdlog.Logger {
	return stdlog.New(&httpLog{log: log, server: server, now: now, limit: rate.NewLimiter(httpLogRate, httpLogBurst)}, "", 0)
}

// httpLog is the io.Writer of a log.Logger, which writes a line at a time.
type httpLog struct {
	log     *zap.Logger
	server  string
	now     func() time.Time
	limit   *rate.Limiter
	omitted atomic.Int64 // lines since the last one
}

// Write logs one line.
func (l *httpLog) Write(line []byte) (int, error) {
	if !l.limit.AllowN(l.now(), 1) {
		l.omitted.Add(1)
		return len(line), nil
	}
	text := httpclient.Cut(strings.TrimSpace(string(line)), maxHTTPLog)
	log := l.log.Warn
	if strings.HasPrefix(text, "http: panic ") {
		log = l.log.Error
	}
	log("http server reported an error", zap.String("server", l.server), zap.String("error", text), zap.Int64("lines_not_logged", l.omitted.Swap(0)))
	return len(line), nil
}
