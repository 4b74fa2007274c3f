package webhook

import (
	"context"
	"errors"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// watch returns a context whose request tells when it got a connection: name, dial and TLS are behind it, and from then
// on the transport's own goroutine may have written it.
func watch(ctx context.Context) (context.Context, *atomic.Bool) {
	var connected atomic.Bool
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), &connected
}

// failure judges a request without an answer. Whether one on a connection was written is not asked: the hook WroteRequest
// may come after the error, so that its silence proves nothing.
func failure(err error, connected bool) *sms.SendError {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err // an address may hold a token
	}
	if connected {
		return &sms.SendError{Class: sms.Unknown, Code: "no_answer", Err: err}
	}
	return &sms.SendError{Class: sms.NotSent, Code: "no_connection", Err: err}
}
