package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/app/reload"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// reloadable is a process whose configuration file can be changed.
type reloadable struct {
	*process

	path    string
	text    string
	hangups chan os.Signal
}

// startReloadable starts a process with all roles on the embedded broker.
func startReloadable(t *testing.T, text string) *reloadable {
	t.Helper()
	r := &reloadable{path: filepath.Join(t.TempDir(), "rechargeflow.yaml"), hangups: make(chan os.Signal, 1)}
	r.write(t, text)
	loaded, err := config.Load(r.path, nil, config.Roles()...)
	require.NoError(t, err)
	r.process = startWith(t, Options{Reload: &reload.Source{Loaded: loaded, Hangups: r.hangups}}, "info", loaded.Config)
	r.awaitReady()
	return r
}

func (r *reloadable) write(t *testing.T, text string) {
	t.Helper()
	r.text = text
	require.NoError(t, os.WriteFile(r.path, []byte(text), 0o600))
}

// change replaces old by new in the file, sends a hangup, and waits until the log has a line more with what it leads to.
func (r *reloadable) change(oldText, newText, leadsTo string) {
	r.t.Helper()
	require.Contains(r.t, r.text, oldText)
	before := strings.Count(r.log.String(), leadsTo)
	r.write(r.t, strings.Replace(r.text, oldText, newText, 1))
	r.hangups <- syscall.SIGHUP
	require.Eventually(r.t, func() bool { return strings.Count(r.log.String(), leadsTo) > before }, patience, 10*time.Millisecond, "%s", leadsTo)
}

// post sends a signed webhook about a subscription to a store, and returns the status. As Recharge does, it sends the webhook again after a 503:
// on a busy machine the broker may take longer than gateway.publish_timeout.
func (r *reloadable) post(store, secret string, subscription int) int {
	r.t.Helper()
	body := strings.NewReplacer("784594001", fmt.Sprint(subscription), "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339)).Replace(created)
	return r.postUntilStored(store, secret, body)
}

func (r *reloadable) postUntilStored(store, secret, body string) int {
	r.t.Helper()
	status := http.StatusServiceUnavailable
	for deadline := time.Now().Add(patience); status == http.StatusServiceUnavailable && time.Now().Before(deadline); {
		var err error
		status, err = postTo(r.t.Context(), r.app.GatewayAddress(), store, secret, body)
		require.NoError(r.t, err)
	}
	return status
}

// trouble returns what a check of /readyz reports.
func (r *reloadable) trouble(name string) string {
	for _, check := range r.app.health.Report().Checks {
		if check.Name == name {
			return check.Error
		}
	}
	return "no such check"
}

func postTo(ctx context.Context, gateway, store, secret, body string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+gateway+"/webhooks/"+store+"/subscription/created", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	rechargetest.Sign(request.Header, []byte(body), secret, time.Now())
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// knock opens connections and asks for a store that is not there, until stop is called, which returns the error of a request that got another
// answer than 404.
func (r *reloadable) knock() (stop func() error) {
	var failed atomic.Pointer[error]
	ctx, cancel := context.WithCancel(r.t.Context())
	var knocking sync.WaitGroup
	knocking.Go(func() {
		for ctx.Err() == nil {
			status, err := postTo(r.t.Context(), r.app.GatewayAddress(), "nobody", "s", "{}")
			if err == nil && status != http.StatusNotFound {
				err = fmt.Errorf("status %d", status)
			}
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		}
	})
	r.t.Cleanup(func() {
		cancel()
		knocking.Wait()
	})
	return func() error {
		cancel()
		knocking.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
}

// subscriptions counts the events about a subscription that arrived, repeated ones, too.
func subscriptions(s *bloomreachtest.Server, id int) (n int) {
	for _, command := range s.Received() {
		n += strings.Count(string(command.Data), fmt.Sprintf(`"subscription_id":"%d"`, id))
	}
	return n
}

const anew = "starting the role anew"

// A webhook's secret, stores, credentials, a rate and the log level are taken up while the process runs: no request to the gateway is refused,
// no event is lost or sent twice, and only what has changed starts anew. A faulty file changes nothing, and what needs a restart is named.
func TestReload(t *testing.T) {
	acme, beta := bloomreachtest.New(), bloomreachtest.New()
	t.Cleanup(acme.Close)
	t.Cleanup(beta.Close)
	r := startReloadable(t, reloadableFile(t, acme.BaseURL()))
	stop := r.knock()
	require.Equal(t, http.StatusOK, r.post("acme", "secret-1", 1))

	r.change("secrets: [secret-1]", "secrets: [secret-2]", `"configuration reloaded","trigger":"SIGHUP","taken_up":["stores[acme].recharge.secrets"]`)
	assert.Equal(t, http.StatusUnauthorized, r.post("acme", "secret-1", 2))
	assert.Equal(t, http.StatusOK, r.post("acme", "secret-2", 3))
	assert.NotContains(t, r.log.String(), anew)
	assert.Equal(t, 2, strings.Count(r.log.String(), `"store configured","store":"acme"`))

	require.Equal(t, http.StatusNotFound, r.post("beta", "beta-secret", 4))
	r.change("stores:\n", "stores:\n"+betaStore(beta.BaseURL(), "wrong-token"), `"taken_up":["stores[beta] added"]`)
	require.Equal(t, http.StatusOK, r.post("beta", "beta-secret", 5))
	require.Equal(t, http.StatusOK, r.post("acme", "secret-2", 6))
	require.Eventually(t, func() bool { return subscriptions(acme, 6) > 0 }, patience, 10*time.Millisecond)
	r.awaitMetric(`rechargeflow_store_paused{role="tracking",store="beta"} 1`)
	assert.Contains(t, r.log.String(), `"store configured","store":"beta"`)

	before := strings.Count(r.log.String(), anew)
	r.change("wrong-token", bloomreachtest.PublicToken, `"taken_up":["stores[beta].bloomreach.token"]`)
	require.Eventually(t, func() bool { return subscriptions(beta, 5) > 0 }, patience, 10*time.Millisecond)
	r.awaitMetric(`rechargeflow_store_paused{role="tracking",store="beta"} 0`)
	assert.Equal(t, 1, strings.Count(r.log.String(), anew)-before, "tracking alone")

	r.change("requests_per_minute: 6000", "requests_per_minute: 600", `"taken_up":["stores[acme].bloomreach.requests_per_minute"]`)
	require.Equal(t, http.StatusOK, r.post("acme", "secret-2", 7))
	require.Eventually(t, func() bool { return subscriptions(acme, 7) > 0 }, patience, 10*time.Millisecond)

	r.change("level: info", "level: debug", `"taken_up":["log.level"]`)
	assert.JSONEq(t, `{"level":"debug"}`, r.get("/log/level"))

	r.checkFaultyFile()
	r.change("stores:", "kafka: {session_timeout: 20s}\nstores:", `"msg":"restart to apply: kafka.session_timeout"`)
	assert.Equal(t, "restart to apply: kafka.session_timeout", r.trouble("configuration"))
	r.awaitMetric(`rechargeflow_config_restart_pending 1`)

	require.Contains(t, r.get("/metrics"), `group="rechargeflow.tracking.beta"`)
	r.change(betaStore(beta.BaseURL(), bloomreachtest.PublicToken), "", `"taken_up":["stores[beta] removed"]`)
	assert.Equal(t, http.StatusNotFound, r.post("beta", "beta-secret", 8))
	require.Eventually(t, func() bool { return !strings.Contains(r.get("/metrics"), `group="rechargeflow.tracking.beta"`) }, patience, 20*time.Millisecond)
	assert.Equal(t, "no such check", r.trouble("rechargeflow.tracking.beta"))
	r.awaitChecksBut("configuration")

	require.NoError(t, stop())
	for id, want := range map[int]int{1: 1, 2: 0, 3: 1, 6: 1, 7: 1} {
		assert.Equal(t, want, subscriptions(acme, id), id)
	}
	assert.Equal(t, 1, subscriptions(beta, 5))
	r.stop()
	require.NoError(t, r.end())
	for _, secret := range []string{"secret-1", "secret-2", "beta-secret", "wrong-token", bloomreachtest.PublicToken} {
		assert.NotContains(t, r.log.String(), secret)
	}
}

// checkFaultyFile breaks the file and mends it: the process goes on as before.
func (r *reloadable) checkFaultyFile() {
	r.t.Helper()
	r.change("stores:", "stores: {}\nstore:", `"reload configuration failed, the previous one stays in force","trigger":"SIGHUP","error":"`+r.path)
	assert.Equal(r.t, http.StatusOK, r.post("acme", "secret-2", 9))
	assert.Contains(r.t, r.trouble("configuration"), "the configuration was not taken up")
	r.awaitMetric(`rechargeflow_config_last_reload_successful 0`)
	r.change("stores: {}\nstore:", "stores:", `"configuration reloaded, nothing to take up"`)
	r.awaitMetric(`rechargeflow_config_last_reload_successful 1`)
}

func (r *reloadable) awaitMetric(line string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return strings.Contains(r.get("/metrics"), "\n"+line+"\n") }, patience, 20*time.Millisecond, "%s", line)
}

// awaitChecksBut waits until each check of /readyz but one passes.
func (r *reloadable) awaitChecksBut(name string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		for _, check := range r.app.health.Report().Checks {
			if !check.OK && check.Name != name {
				return false
			}
		}
		return true
	}, patience, 10*time.Millisecond)
}

func reloadableFile(t *testing.T, bloomreach string) string {
	t.Helper()
	dir := t.TempDir()
	return `
log: {level: info}
embedded: {dir: "` + filepath.Join(dir, "broker") + `", listen: "127.0.0.1:0"}
gateway: {listen: "127.0.0.1:0"}
admin: {listen: "localhost:0"}
console: {listen: "127.0.0.1:0", data_dir: "` + filepath.Join(dir, "console") + `"}
sms: {state_dir: "` + filepath.Join(dir, "sms-state") + `"}
transformer: {state_dir: "` + filepath.Join(dir, "state") + `"}
shutdown_delay: 0s
stores:
  - name: acme
    customer_id: recharge_id
    recharge: {secrets: [secret-1], token: api-token, api_url: "http://127.0.0.1:1"}
    bloomreach: {url: "` + bloomreach + `", requests_per_minute: 6000, project: "` + bloomreachtest.ProjectToken + `", token: "` + bloomreachtest.PublicToken + `"}
    sms: {driver: log, shop_name: Acme}
`
}

func betaStore(bloomreach, token string) string {
	return `  - {name: beta, customer_id: recharge_id, recharge: {secrets: [beta-secret]}, bloomreach: {url: "` + bloomreach + `", project: "` + bloomreachtest.ProjectToken + `", token: ` + token + `}}
`
}

// Texts go out once each, however often the sms role starts anew meanwhile: before their claim, with a call in progress, and after it.
func TestReloadBetweenTexts(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.recharge.Put([]byte(customer)))
	text := strings.NewReplacer(
		"driver: log", `driver: webhook, webhook: {url: "`+w.sms.URL+`", secret: `+smsSecret+`}, window: 1ms, opt_out_text: none, from: "+15005550006"`,
		"customer_id: recharge_id", "customer_id: email", "http://127.0.0.1:1", w.recharge.URL,
	).Replace(reloadableFile(t, w.bloomreach.BaseURL()))
	r := startReloadable(t, text)
	r.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active, f.Text = true, "{{ shop_name }}: hello" })
	const texts, between = 12, 4
	w.sms.Next(texts, smstest.Behaviour{Accept: true, Delay: 300 * time.Millisecond})
	for i := range texts {
		body := strings.NewReplacer("784594001", fmt.Sprint(100+i), `"status"`, `"address_id":1,"status"`, "246936001", fmt.Sprint(200+i),
			"jo.bean", fmt.Sprintf("jo.bean.%d", i), "+15035550100", fmt.Sprintf("+150355501%02d", i),
			"2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339)).Replace(created)
		require.Equal(t, http.StatusOK, r.postUntilStored("acme", "secret-1", body))
		if i%between == between-1 {
			require.Eventually(t, func() bool { return w.sms.Requests() > i-between+1 }, patience, time.Millisecond)
			r.change("+1500555000"+fmt.Sprint(6+i/between), "+1500555000"+fmt.Sprint(7+i/between), `"taken_up":["stores[acme].sms.from"]`)
		}
	}
	require.Eventually(t, func() bool { return len(w.sms.Texts()) >= texts }, patience, 10*time.Millisecond)
	r.awaitMetric(fmt.Sprintf(`rechargeflow_texts_total{flow="subscription_started",reason="",status="accepted",store="acme"} %d`, texts))
	assert.Empty(t, w.sms.Duplicates())
	senders := map[string]bool{}
	for _, text := range w.sms.Texts() {
		senders[text.From] = true
	}
	assert.Greater(t, len(senders), 1, "texts are sent before and after a reload")
	assert.Equal(t, 3, strings.Count(r.log.String(), anew))
	assert.NotContains(t, r.log.String(), `"status":"unknown"`)
	r.stop()
	require.NoError(t, r.end())
}

// A reload that the brokers do not allow changes nothing: a store that this process can't build.
func TestReloadThatCantBeTakenUp(t *testing.T) {
	r := startReloadable(t, reloadableFile(t, "http://127.0.0.1:1"))
	r.change("shop_name: Acme", "shop_name: Acme, help_text: '{{ nope }}'", `"reload configuration failed, the previous one stays in force"`)
	assert.Contains(t, r.log.String(), `build store acme: sms.help_text: unknown variable \"nope\"`)
	assert.Equal(t, http.StatusOK, r.post("acme", "secret-1", 1))
	assert.Equal(t, 1, strings.Count(r.log.String(), `"store configured"`))
	assert.NotContains(t, r.log.String(), anew)
	assert.Len(t, r.app.parts, len(topology.Roles())-3, "all but gateway, links and console")
	r.awaitChecksBut("configuration")
}
