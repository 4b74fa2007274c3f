package telemetry

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// Refused requests are logged at refusedRate per second, and as many at once as refusedBurst.
const (
	refusedRate  = 1
	refusedBurst = 50
)

// maxPath is the length in bytes to which a path is cut in the log.
const maxPath = 200

// RefusedRequests logs refused HTTP requests at a limited rate: anybody can send requests.
type RefusedRequests struct {
	log     *zap.Logger
	now     func() time.Time
	limit   *rate.Limiter
	quoter  httpclient.Quoter
	omitted atomic.Int64 // lines since the last one
}

// NewRefusedRequests returns a RefusedRequests that writes to log.
func NewRefusedRequests(log *zap.Logger, now func() time.Time) *RefusedRequests {
	return &RefusedRequests{log: log, now: now, limit: rate.NewLimiter(refusedRate, refusedBurst), quoter: httpclient.NewQuoter()}
}

// Log writes a warning with the request's method, path and peer, unless there were too many.
func (l *RefusedRequests) Log(message string, r *http.Request, fields ...zap.Field) {
	if !l.limit.AllowN(l.now(), 1) {
		l.omitted.Add(1)
		return
	}
	l.log.With(fields...).Warn(message, zap.String("method", httpclient.Cut(l.quoter.Quote(r.Method), 10)), zap.String("path", l.path(r.URL.Path)),
		zap.String("peer", peer(r.RemoteAddr)), zap.Int64("refusals_not_logged", l.omitted.Swap(0)))
}

// path returns a path for the log, without control characters and without what may be an e-mail address, a phone number or a
// token. The query is left out.
func (l *RefusedRequests) path(asked string) string {
	parts := strings.Split(httpclient.Cut(asked, maxPath), "/")
	for i, part := range parts {
		parts[i] = l.quoter.Quote(part)
	}
	return strings.Join(parts, "/")
}

// peer returns the host of an address.
func peer(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return host
}
