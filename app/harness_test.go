package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// lines is a process's log, readable while it runs.
type lines struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(b)
}

func (l *lines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.String()
}

// settings loads a configuration.
func settings(t *testing.T, text string) config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rechargeflow.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	loaded, err := config.Load(path, nil, config.Roles()...)
	require.NoError(t, err)
	return loaded.Config
}

// process is an App that runs.
type process struct {
	t     *testing.T
	app   *App
	log   *lines
	stop  context.CancelFunc
	ended chan error
}

// start runs an App until the test ends, or stop is called.
func start(t *testing.T, cfg config.Config, roles ...topology.Role) *process {
	t.Helper()
	return startWith(t, Options{}, "debug", cfg, roles...)
}

// startAt is start with a clock, nil for the system's, and a log level.
func startAt(t *testing.T, now func() time.Time, logLevel string, cfg config.Config, roles ...topology.Role) *process {
	t.Helper()
	return startWith(t, Options{Now: now}, logLevel, cfg, roles...)
}

// startWith is start with options; it sets those of the log.
func startWith(t *testing.T, o Options, logLevel string, cfg config.Config, roles ...topology.Role) *process {
	t.Helper()
	p := &process{t: t, log: &lines{}, ended: make(chan error, 1)}
	var err error
	o.Log, o.LogLevel, err = telemetry.NewLogger(logLevel, p.log)
	require.NoError(t, err)
	o.Version = telemetry.Version{Version: "v1.2.3"}
	p.app, err = New(cfg, roles, o)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	p.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ended <- p.app.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		require.NoError(t, telemetrytest.CheckKeys(p.log.String()))
	})
	return p
}

// end is what Run returns.
func (p *process) end() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(patience):
		require.Fail(p.t, "the process still runs", p.log)
		return nil
	}
}

func (p *process) awaitLog(part string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return strings.Contains(p.log.String(), part) }, patience, 10*time.Millisecond, "%s", part)
}

// flows are those of the sms role.
func (p *process) flows() *flowBook {
	return p.app.parts[slices.IndexFunc(p.app.parts, func(part *part) bool { return part.texts != nil })].texts.flows
}

// awaitReady waits until each check of /readyz passes.
func (p *process) awaitReady() {
	p.t.Helper()
	p.awaitLog(`"msg":"running"`)
	p.awaitChecks()
}

// awaitChecks waits until each check of /readyz passes, "start" among them.
func (p *process) awaitChecks() {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		report := p.app.health.Report()
		for _, check := range report.Checks {
			if !check.OK {
				return false
			}
		}
		return report.Status == telemetry.StatusReady
	}, patience, 10*time.Millisecond, "%v", p.log)
}

// get is the answer to a GET on the admin port.
func (p *process) get(path string) string {
	p.t.Helper()
	return request(p.t, http.MethodGet, "http://"+p.app.AdminAddress()+path, http.NoBody, nil)
}

// request sends a request that must be answered with 200, over a connection of its own.
func request(t *testing.T, method, url string, body io.Reader, header http.Header) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	if header != nil {
		r.Header = header
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(content))
	return string(content)
}

// broker is an embedded broker with these topics.
func broker(t *testing.T, topics admin.Spec) *embedded.Broker {
	t.Helper()
	b, err := embedded.Start(embedded.Config{Topics: topics}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}
