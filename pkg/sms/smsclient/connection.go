package smsclient

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// traceConnection returns a context whose request sets connected once it has a connection, after name, dial and TLS. From
// then on the transport may have written the request.
func traceConnection(ctx context.Context) (context.Context, *atomic.Bool) {
	var connected atomic.Bool
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), &connected
}

// failure returns the error of a request without a response. With a connection the outcome is unknown, whether or not
// httptrace reported WroteRequest: that hook may run after the error.
func failure(err error, connected bool) *sms.SendError {
	err = httpclient.WithoutURL(err)
	if connected {
		return &sms.SendError{Class: sms.Unknown, Code: "no_answer", Err: err}
	}
	return &sms.SendError{Class: sms.NotSent, Code: "no_connection", Err: err}
}
