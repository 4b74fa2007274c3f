package app

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
)

// A STOP to a text that Twilio has sent before sms.driver was changed still counts, while the settings of Twilio are there.
func TestCallbacksOfTheProviderBefore(t *testing.T) {
	w, account := newWorld(t), twiliotest.SampleAccount()
	cfg := w.traced(t)
	s := &cfg.Stores[0].SMS
	s.CallbackURL = "https://hooks.acme.test"
	s.Twilio = config.TwilioDriver{AccountSID: account.SID, AuthToken: config.Secret(account.AuthToken)}
	require.Equal(t, config.SMSWebhook, s.Driver)
	p := start(t, cfg)
	p.awaitReady()
	p.callback(account.Request("https://hooks.acme.test/callbacks/acme/twilio", account.Reply("SM"+strings.Repeat("0", 31)+"2", "+14155552671", "STOP")))
	rows, err := consent.Topic("recharge.consent").Read(t.Context(), p.cluster())
	require.NoError(t, err)
	history := consent.History(rows, "acme", "+14155552671")
	require.Len(t, history, 1)
	assert.Equal(t, consent.OptedOut, history[0].Status)
}

// A text goes through Twilio. Its call is not answered, so it is looked up; then a callback says that it is delivered, and a reply opts out.
func TestTwilio(t *testing.T) {
	w, account := newWorld(t), twiliotest.SampleAccount()
	require.NoError(t, w.recharge.Put([]byte(customer)))
	provider := twiliotest.New(account, time.Now)
	t.Cleanup(provider.Close)
	cfg := w.traced(t)
	s := &cfg.Stores[0].SMS
	s.Driver, s.From, s.CallbackURL = config.SMSTwilio, account.From[0], "https://hooks.acme.test/"
	s.Twilio = config.TwilioDriver{APIURL: provider.URL, AccountSID: account.SID, AuthToken: config.Secret(account.AuthToken)}
	p := start(t, cfg)
	p.awaitReady()
	p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active = true })
	provider.Next(1, smstest.Behaviour{Accept: true, Reset: true})
	body := strings.ReplaceAll(lookedUp, "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339))
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", body, secret))
	require.Eventually(t, func() bool { return provider.Accepted() == 1 }, patience, 10*time.Millisecond, "%v", p.log)
	cluster := p.cluster()
	require.Eventually(t, func() bool { return len(p.outcomes(cluster)) == 1 }, patience, 50*time.Millisecond)

	sent := provider.Texts()[0].Params
	sid := "SM" + strings.Repeat("0", 31) + "1"
	p.callback(account.Request(sent.Get("StatusCallback"), account.Status(sid, sent.Get("To"), "delivered", "")))
	p.callback(account.Request("https://hooks.acme.test/callbacks/acme/twilio", account.Reply("SM"+strings.Repeat("0", 31)+"2", sent.Get("To"), "STOP")))
	outcomes := p.outcomes(cluster)
	assert.Equal(t, []message.Status{message.Accepted, message.Delivered}, outcomes)
	rows, err := consent.Topic("recharge.consent").Read(t.Context(), cluster)
	require.NoError(t, err)
	history := consent.History(rows, "acme", sent.Get("To"))
	require.Len(t, history, 1)
	assert.Equal(t, consent.OptedOut, history[0].Status)
	for _, private := range []string{account.AuthToken, strings.TrimPrefix(sent.Get("To"), "+")} {
		assert.NotContains(t, p.log.String(), private)
	}
}

// callback sends the request of a callback to the gateway, as a proxy passes it on.
func (p *process) callback(r *http.Request) {
	p.t.Helper()
	request(p.t, r.Method, "http://"+p.app.GatewayAddress()+r.URL.RequestURI(), r.Body, r.Header)
}

// outcomes are those of the receipts.
func (p *process) outcomes(cluster kafka.Cluster) (all []message.Status) {
	p.t.Helper()
	for record, err := range kafka.Scan(p.t.Context(), cluster, "recharge.sms-receipts", time.Time{}) {
		require.NoError(p.t, err)
		var receipt message.Receipt
		require.NoError(p.t, json.Unmarshal(record.Value, &receipt))
		all = append(all, receipt.Outcome)
	}
	return all
}

// drivers are the drivers of the configuration.
func drivers(t *testing.T) []string {
	t.Helper()
	for _, k := range config.Keys() {
		if k.Path == "stores[].sms.driver" {
			return k.OneOf[1:] // without none
		}
	}
	require.Fail(t, "sms.driver is no key")
	return nil
}

// Each driver of the configuration can be built. The table in docs/sms-providers.md says what it can do.
func TestProviders(t *testing.T) {
	page, err := os.ReadFile("../docs/sms-providers.md")
	require.NoError(t, err)
	for _, name := range drivers(t) {
		path := filepath.Join(t.TempDir(), "rechargeflow.yaml")
		require.NoError(t, os.WriteFile(path, []byte("stores: [{name: acme, sms: {driver: "+name+"}}]"), 0o600))
		loaded, err := config.Load(path, nil)
		require.NoError(t, err)
		store := loaded.Config.Stores[0]
		p := providerOf(store)
		assert.True(t, p.abilities.Takes(store.SMS.Mode == config.SMSTrigger), "%s by default", name)
		require.NotNil(t, p.driver, name)
		yes := func(can bool) string {
			if can {
				return "yes"
			}
			return "no"
		}
		can := p.abilities
		row := "| `" + name + "` | " + strings.Join([]string{
			yes(can.Texts), yes(can.Triggers), yes(can.Deduplicates), yes(can.LooksUp), yes(can.ReportsDelivery), yes(can.PassesReplies),
		}, " | ") + " |"
		assert.Contains(t, string(page), row)
		assert.Equal(t, p.hasCallbacks(), p.verifies != "", name)
	}
}
