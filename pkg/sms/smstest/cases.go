package smstest

import (
	"net/http"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// anyProvider is the source of a case that no provider documents: a proxy between us, or a provider that is broken.
const anyProvider = "not documented: a driver must cope with it"

// common returns answers that any provider, or a proxy in front of it, may give.
func common() []Case {
	return []Case{
		{Name: "accepted", Source: anyProvider, On: Behaviour{Accept: true}},
		{Name: "accepted, slowly", Source: anyProvider, On: Behaviour{Accept: true, Delay: 20 * time.Millisecond}},
		{Name: "accepted, without a body", Source: anyProvider, On: Behaviour{Accept: true, Body: Empty}},
		{Name: "accepted, not JSON", Source: anyProvider, On: Behaviour{Accept: true, Body: "OK 1234"}},
		{Name: "accepted, other JSON", Source: anyProvider, On: Behaviour{Accept: true, Body: `{"id":7,"sid":[],"data":"x","status":null}`}},
		{Name: "accepted, a large body", Source: anyProvider, On: Behaviour{Accept: true, Body: `{"x":"` + strings.Repeat("y", 1<<20) + `"}`}},
		{Name: "401 without a body", Source: anyProvider, On: Behaviour{Status: http.StatusUnauthorized, Body: Empty}, Class: sms.Config, Code: "http_401"},
		{Name: "403 of a firewall", Source: anyProvider, On: html(http.StatusForbidden), Class: sms.Forbidden, Code: "http_403"},
		{Name: "404 of a proxy", Source: anyProvider, On: html(http.StatusNotFound), Class: sms.Config, Code: "http_404"},
		{Name: "407 of a proxy", Source: anyProvider, On: html(http.StatusProxyAuthRequired), Class: sms.Config, Code: "http_407"},
		{Name: "408", Source: anyProvider, On: html(http.StatusRequestTimeout), Class: sms.Unknown, Code: "http_408"},
		{Name: "429 of a proxy", Source: anyProvider, On: html(http.StatusTooManyRequests), Class: sms.NotSent, Code: "http_429"},
		{Name: "500 before acceptance", Source: anyProvider, On: Behaviour{Status: http.StatusInternalServerError}, Class: sms.Unknown, Code: "http_500"},
		{Name: "500 after acceptance", Source: anyProvider, On: FailedAfterwards(), Class: sms.Unknown, Code: "http_500"},
		{Name: "502 of a proxy", Source: anyProvider, On: NotJSON(), Class: sms.Unknown, Code: "http_502"},
		{Name: "503", Source: anyProvider, On: Behaviour{Status: http.StatusServiceUnavailable, RetryAfter: time.Second}, Class: sms.Unknown, Code: "http_503"},
		{Name: "504", Source: anyProvider, On: html(http.StatusGatewayTimeout), Class: sms.Unknown, Code: "http_504"},
	}
}

// unanswered returns the ways in which an answer may be missing.
func unanswered() []Case {
	return []Case{
		{Name: "hangs before acceptance", Source: anyProvider, On: Behaviour{Hang: true}, Class: sms.Unknown, Code: "no_answer"},
		{Name: "hangs after acceptance", Source: anyProvider, On: Behaviour{Accept: true, Hang: true}, Class: sms.Unknown, Code: "no_answer"},
		{Name: "reset before acceptance", Source: anyProvider, On: Behaviour{Reset: true}, Class: sms.Unknown, Code: "no_answer"},
		{Name: "reset after acceptance", Source: anyProvider, On: Behaviour{Accept: true, Reset: true}, Class: sms.Unknown, Code: "no_answer"},
		{Name: "closed before acceptance", Source: anyProvider, On: Behaviour{Drop: true}, Class: sms.Unknown, Code: "no_answer"},
		{Name: "closed after acceptance", Source: anyProvider, On: Behaviour{Accept: true, Drop: true}, Class: sms.Unknown, Code: "no_answer"},
	}
}

func html(status int) Behaviour {
	return Behaviour{Status: status, Body: "<html><body><h1>An error</h1></body></html>", Header: http.Header{"Content-Type": {"text/html"}}}
}
