package app

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// setFlow changes a flow of the store acme as the command does, and waits until the process has it in force: two seconds at most.
func (p *process) setFlow(key flow.Key, change func(*live.Flow)) {
	p.t.Helper()
	changed, err := Settings(p.app.cfg.Kafka).ChangeFlows(p.t.Context(), p.cluster(), live.FlowChange{
		Store: "acme", By: "test", At: time.Now(),
		Decide: func(flows []live.Flow) error {
			for i := range flows {
				if flows[i].Key == key {
					change(&flows[i])
				}
			}
			return nil
		},
	})
	require.NoError(p.t, err)
	require.Len(p.t, changed, 1)
	want := changed[0].Definition()
	require.Eventually(p.t, func() bool {
		got := p.flows().of("acme")(key)
		return got.Text == want.Text && p.flows().table.Rows().Len() > 0
	}, 2*time.Second, time.Millisecond)
}

// A text that is changed while the roles run is in the next message, and a flow that is switched off sends none.
func TestFlowsChangeAtRunTime(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.recharge.Put([]byte(customer)))
	cfg := w.traced(t)
	cfg.Stores[0].SMS.OptOutText = "none"
	p := start(t, cfg)
	p.awaitReady()
	sent := 0
	subscribe := func(id string, wantText string) {
		t.Helper()
		body := strings.NewReplacer("784594001", id, `"status"`, `"address_id":`+id+`,"status"`, "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339)).Replace(lookedUp)
		require.Equal(t, http.StatusOK, p.postSigned("subscription/created", body, secret))
		if wantText == "" {
			p.awaitLog(`"reason":"flow_inactive"`)
			return
		}
		sent++
		require.Eventually(t, func() bool { return len(w.sms.Texts()) == sent }, patience, 10*time.Millisecond, "%v", p.log)
		assert.Equal(t, wantText, w.sms.Texts()[sent-1].Body)
	}
	subscribe("784594001", "")
	p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active, f.Text = true, "{{ shop_name }}: hello" })
	p.awaitLog(`"active_flows":["subscription_started"]`)
	subscribe("784594002", "Acme: hello")
	p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Text = "{{ shop_name }}: welcome" })
	subscribe("784594003", "Acme: welcome")
	require.Len(t, w.sms.Texts(), 2)

	// the store has no link that the text needs: the flow is not sent, and /readyz says why
	p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Text = "{{ shop_name }}: {{ payment_url }}" })
	subscribe("784594004", "")
	assert.Contains(t, p.get("/readyz"), "store acme has no sms.payment_url")
}

// Texts that are paused while the roles run are held, /readyz says so, and resumed they are sent.
func TestTextsPausedAtRunTime(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.recharge.Put([]byte(customer)))
	p := start(t, w.traced(t))
	p.awaitReady()
	p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active, f.Text = true, "{{ shop_name }}: hello" })
	p.setSending(func(s *sending.Settings) { s.Pause(flow.SubscriptionStarted) })
	assert.Contains(t, p.get("/readyz"), "store acme: texts of [subscription_started] are paused by test since ")
	body := strings.NewReplacer(`"status"`, `"address_id":1,"status"`, "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339)).Replace(lookedUp)
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", body, secret))
	require.Eventually(t, func() bool { return p.lastReason() == reason.Paused }, patience, 50*time.Millisecond, "%v", p.log)
	assert.Empty(t, w.sms.Texts())
	p.setSending(func(s *sending.Settings) { require.NoError(t, s.Resume()) })
	require.Eventually(t, func() bool { return len(w.sms.Texts()) == 1 }, patience, 10*time.Millisecond, "%v", p.log)
	assert.NotContains(t, p.get("/readyz"), "paused by")
}

// lastReason is the reason of the last change of a text.
func (p *process) lastReason() (why reason.Reason) {
	for r, err := range kafka.Scan(p.t.Context(), p.cluster(), "recharge.messages", time.Time{}) {
		require.NoError(p.t, err)
		var change message.Change
		require.NoError(p.t, json.Unmarshal(r.Value, &change))
		why = change.Reason
	}
	return why
}

// setSending changes how the store acme sends, and waits until the process has it in force: two seconds at most.
func (p *process) setSending(change func(*sending.Settings)) {
	p.t.Helper()
	changed, err := Settings(p.app.cfg.Kafka).ChangeSending(p.t.Context(), p.cluster(), live.SendingChange{
		Stores: []string{"acme"}, By: "test", At: time.Now(), Decide: func(s *sending.Settings) error {
			change(s)
			return nil
		},
	})
	require.NoError(p.t, err)
	require.Len(p.t, changed, 1)
	require.Eventually(p.t, func() bool {
		return reflect.DeepEqual(changed[0].Settings, p.flows().sendingOf("acme")())
	}, 2*time.Second, time.Millisecond)
}

// cluster is the process's embedded broker.
func (p *process) cluster() kafka.Cluster {
	brokers := regexp.MustCompile(`"brokers":\["([^"]+)"\]`).FindStringSubmatch(p.log.String())
	require.NotEmpty(p.t, brokers, "the embedded broker's log line")
	return kafka.Cluster{Brokers: brokers[1:]}
}

// A destination says itself how to opt out, and answers HELP.
func TestTextsOfTheDestination(t *testing.T) {
	for _, tt := range []struct{ text, consent, want string }{
		{"Reply STOP.", "opt_out", "Reply STOP."},
		{"Reply STOP.", "opt_in", "Reply STOP."},
		{"Reply STOP.", "destination", ""},
		{"none", "opt_out", ""},
	} {
		s := config.SMS{ShopName: "Acme", OptOutText: tt.text, HelpText: tt.text, Consent: tt.consent}
		assert.Equal(t, tt.want, ShopOf(config.Store{SMS: s}).OptOut, tt.consent)
		assert.Equal(t, tt.want, helpText(s), tt.consent)
		s.ShopName = ""
		assert.Empty(t, helpText(s), "it would not begin with the name of the shop")
	}
}

func TestHelpTextIsChecked(t *testing.T) {
	cfg := trial(t, "http://127.0.0.1:1")
	cfg.Stores[0].SMS.Driver, cfg.Stores[0].SMS.HelpText = config.SMSLog, "{{ nope }}"
	a, err := New(cfg, topology.Roles(), Options{Log: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(a.close)
	a.cluster.Brokers = []string{"127.0.0.1:1"}
	_, err = a.newParts(cfg, topology.Roles())
	require.ErrorContains(t, err, `sms.help_text: unknown variable "nope"`)
}
