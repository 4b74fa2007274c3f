package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms/attentive/attentivetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/klaviyo/klaviyotest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/postscript/postscripttest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// platform is the simulator of a platform that has its own texts.
type platform struct {
	smstest.Simulator

	driver, key string
	configure   func(*config.SMS)
	// names are those of the events that it has, and number is the number in the first.
	names  func() []string
	number func() string
}

func klaviyoPlatform() platform {
	s := klaviyotest.New(time.Now)
	return platform{
		Simulator: s, driver: config.SMSKlaviyo, key: klaviyotest.Key,
		configure: func(c *config.SMS) {
			c.Klaviyo = config.KlaviyoDriver{APIURL: s.URL, APIKey: klaviyotest.Key, Revision: klaviyotest.Revision}
		},
		names: func() (names []string) {
			for _, e := range s.Texts() {
				names = append(names, e.Metric)
			}
			return names
		},
		number: func() string { return s.Texts()[0].PhoneNumber },
	}
}

func postscriptPlatform() platform {
	s := postscripttest.New()
	return platform{
		Simulator: s, driver: config.SMSPostscript, key: postscripttest.Key,
		configure: func(c *config.SMS) {
			c.Postscript = config.PostscriptDriver{APIURL: s.URL, APIKey: postscripttest.Key, PartnerKey: postscripttest.PartnerKey}
		},
		names: func() (names []string) {
			for _, e := range s.Texts() {
				names = append(names, e.Type)
			}
			return names
		},
		number: func() string { return s.Texts()[0].Phone },
	}
}

func attentivePlatform() platform {
	s := attentivetest.New(time.Now)
	return platform{
		Simulator: s, driver: config.SMSAttentive, key: attentivetest.Key,
		configure: func(c *config.SMS) { c.Attentive = config.AttentiveDriver{APIURL: s.URL, APIKey: attentivetest.Key} },
		names: func() (names []string) {
			for _, e := range s.Texts() {
				names = append(names, e.Type)
			}
			return names
		},
		number: func() string { return s.Texts()[0].User.Phone },
	}
}

// A trigger becomes an event of a platform. Its call is answered with an error though the platform has it: it is made again only where the
// platform drops a second event.
func TestPlatforms(t *testing.T) {
	for _, tt := range []struct {
		start    func() platform
		name     string
		outcomes []message.Status
	}{
		{klaviyoPlatform, "Recharge subscription_started", []message.Status{message.Planned, message.Accepted}},
		{postscriptPlatform, "Recharge_subscription_started", []message.Status{message.Unknown}},
		{attentivePlatform, "Recharge subscription_started", []message.Status{message.Unknown}},
	} {
		provider := tt.start()
		t.Run(provider.driver, func(t *testing.T) {
			t.Cleanup(provider.Close)
			w := newWorld(t)
			require.NoError(t, w.recharge.Put([]byte(customer)))
			cfg := w.traced(t)
			s := &cfg.Stores[0].SMS
			s.Driver, s.Mode, s.Consent, s.QuietHours = provider.driver, config.SMSTrigger, config.SMSDestination, config.SMSDestination
			provider.configure(s)
			p := start(t, cfg)
			p.awaitReady()
			p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active = true })
			provider.Next(1, smstest.Behaviour{Accept: true, Status: http.StatusBadGateway})
			body := strings.ReplaceAll(lookedUp, "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339))
			require.Equal(t, http.StatusOK, p.postSigned("subscription/created", body, secret))

			cluster := p.cluster()
			require.Eventually(t, func() bool { return len(p.outcomes(cluster)) >= len(tt.outcomes) }, patience, 50*time.Millisecond, "%v", p.log)
			assert.Equal(t, tt.outcomes, p.outcomes(cluster))
			assert.Equal(t, len(tt.outcomes), provider.Requests())
			assert.Equal(t, []string{tt.name}, provider.names())
			assert.Empty(t, provider.Refused())
			for _, private := range []string{provider.key, strings.TrimPrefix(provider.number(), "+")} {
				assert.NotContains(t, p.log.String(), private)
			}
		})
	}
}
