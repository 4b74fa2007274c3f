package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

const documented = "docs/sms-gateway.md"

func TestSuite(t *testing.T) {
	smstest.Suite(t, smstest.Subject{
		Abilities: webhook.Abilities(), Secrets: []string{secret},
		Start: func(now func() time.Time) (smstest.Simulator, string) {
			g := smstest.New(secret, now)
			return g, g.URL
		},
		New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
			return webhook.New(webhook.Options{URL: address, Secret: secret, Timeout: timeout, Now: now})
		},
		Answers: []smstest.Case{
			{Name: "number refused", Source: documented, On: smstest.Behaviour{Status: http.StatusUnprocessableEntity}, Class: sms.Rejected, Code: "http_422"},
			{Name: "number or account refused", Source: documented, On: smstest.Blocked(), Class: sms.Forbidden, Code: "http_403"},
			{Name: "account without money", Source: documented, On: smstest.Behaviour{Status: http.StatusPaymentRequired}, Class: sms.Config, Code: "http_402"},
		},
	})
}
