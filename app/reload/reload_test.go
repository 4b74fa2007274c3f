package reload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/app/reload"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

const file = `
log: {level: info}
kafka: {brokers: ['kafka:9092']}
stores:
  - name: acme
    recharge: {secrets: [first-secret], token: api-token}
    bloomreach: {enabled: false}
`

// process is what a Loop reloads.
type process struct {
	t       *testing.T
	path    string
	hangups chan os.Signal
	ticks   chan time.Time
	loop    *reload.Loop
	log     *bytes.Buffer // written only while tick or hangup wait
	results []string
	refuse  error
	taken   config.Config
	stop    context.CancelFunc
	done    chan struct{}
}

// Reloaded, ReloadFailed are reload.Metrics.
func (p *process) Reloaded(_ time.Time, pending int) {
	p.results = append(p.results, fmt.Sprintf("reloaded, %d pending", pending))
}
func (p *process) ReloadFailed() { p.results = append(p.results, "failed") }

func start(t *testing.T) *process {
	t.Helper()
	p := &process{t: t, path: filepath.Join(t.TempDir(), "rechargeflow.yaml"), log: &bytes.Buffer{}, hangups: make(chan os.Signal), ticks: make(chan time.Time), done: make(chan struct{})}
	p.write(file)
	loaded, err := config.Load(p.path, nil, config.Roles()...)
	require.NoError(t, err)
	log, _, err := telemetry.NewLogger("debug", p.log)
	require.NoError(t, err)
	p.loop = &reload.Loop{
		Source:  reload.Source{Loaded: loaded, Hangups: p.hangups, Ticks: p.ticks},
		Metrics: p, Log: log, Now: time.Now,
		TakeUp: func(_ context.Context, next config.Config, _ []config.Change) error {
			if p.refuse == nil {
				p.taken = next
			}
			return p.refuse
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	p.stop = stop
	go func() {
		defer close(p.done)
		p.loop.Run(ctx)
	}()
	t.Cleanup(p.end)
	return p
}

func (p *process) end() {
	p.stop()
	<-p.done
}

func (p *process) write(text string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(p.path, []byte(text), 0o600))
}

// tick lets the loop look at the files, and returns when it waits again.
func (p *process) tick() {
	p.ticks <- time.Time{}
	synctest.Wait()
}

// hangup lets the loop load the configuration, and returns when it waits again.
func (p *process) hangup() {
	p.hangups <- syscall.SIGHUP
	synctest.Wait()
}

// lines returns what was logged since the last call: level, message, and the keys taken up.
func (p *process) lines() (lines []string) {
	for _, line := range strings.Split(strings.TrimSpace(p.log.String()), "\n") {
		if line == "" {
			continue
		}
		var fields struct {
			Level, Msg, Error string
			TakenUp           []string `json:"taken_up"`
		}
		require.NoError(p.t, json.Unmarshal([]byte(line), &fields))
		text := fields.Level + " " + fields.Msg
		if len(fields.TakenUp) > 0 {
			text += ": " + strings.Join(fields.TakenUp, ", ")
		}
		if fields.Error != "" {
			text += ": " + strings.ReplaceAll(fields.Error, p.path, "rechargeflow.yaml")
		}
		lines = append(lines, text)
	}
	p.log.Reset()
	return lines
}

// in runs a test with a process, in a bubble: its clock stands still while the process works.
func in(t *testing.T, test func(t *testing.T, p *process)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, start(t)) })
}

// A changed file is loaded when it has stayed the same from one look to the next, and once.
func TestChangedFile(t *testing.T) {
	in(t, func(t *testing.T, p *process) {
		p.tick()
		p.tick()
		assert.Empty(t, p.lines(), "nothing has changed")

		p.write(file + "    sms: {driv")
		p.tick()
		p.write(file + "    sms: {driver: log, shop_name: Acme}\n")
		p.tick()
		assert.Empty(t, p.lines(), "it is still being written")
		p.tick()
		assert.Equal(t, []string{"info configuration reloaded: stores[acme].sms.driver, stores[acme].sms.shop_name"}, p.lines())
		assert.Equal(t, "log", p.taken.Stores[0].SMS.Driver)
		p.tick()
		p.tick()
		assert.Empty(t, p.lines())
		assert.Equal(t, []string{"reloaded, 0 pending"}, p.results)
		require.NoError(t, p.loop.Trouble())

		p.write(file)
		p.tick()
		p.write(file + "    sms: {driver: log, shop_name: Acme}\n")
		p.tick()
		p.tick()
		assert.Empty(t, p.lines(), "it is again what was loaded")
	})
}

// A faulty file is reported once, and the configuration stays. SIGHUP reports it again; correcting it ends the trouble.
func TestFaultyFile(t *testing.T) {
	in(t, func(t *testing.T, p *process) {
		p.write(strings.Replace(file, "level: info", "level: loud", 1))
		p.tick()
		p.tick()
		fault := []string{`error reload configuration failed, the previous one stays in force: rechargeflow.yaml:2: log.level: given "loud", expected one of debug, info, warn, error`}
		assert.Equal(t, fault, p.lines())
		p.tick()
		p.tick()
		assert.Empty(t, p.lines())
		p.hangup()
		assert.Equal(t, fault, p.lines())
		require.ErrorContains(t, p.loop.Trouble(), "the previous one stays in force")
		assert.Zero(t, p.taken)

		p.write(strings.Replace(file, "level: info", "level: warn", 1))
		p.tick()
		p.tick()
		assert.Equal(t, []string{"info configuration reloaded: log.level"}, p.lines())
		require.NoError(t, p.loop.Trouble())
		assert.Equal(t, []string{"failed", "failed", "reloaded, 0 pending"}, p.results)
	})
}

// What needs a restart is named, at each reload until the file has the value in force again. The rest is taken up.
func TestRestart(t *testing.T) {
	in(t, func(t *testing.T, p *process) {
		changed := strings.Replace(file, "kafka:9092", "other:9092", 1) + "admin: {listen: 'localhost:1234'}\n"
		p.write(changed)
		p.hangup()
		pending := "warn restart to apply: kafka.brokers, admin.listen"
		assert.Equal(t, []string{pending, "info configuration reloaded, nothing to take up"}, p.lines())
		require.EqualError(t, p.loop.Trouble(), "restart to apply: kafka.brokers, admin.listen")

		p.write(strings.ReplaceAll(changed, "first-secret", "second-secret"))
		p.hangup()
		assert.Equal(t, []string{pending, "info configuration reloaded: stores[acme].recharge.secrets"}, p.lines())
		assert.Equal(t, []string{"kafka:9092"}, p.taken.Kafka.Brokers)
		assert.Equal(t, "second-secret", p.taken.Stores[0].Recharge.Secrets[0].Reveal())

		p.write(strings.ReplaceAll(file, "first-secret", "second-secret"))
		p.hangup()
		assert.Equal(t, []string{"info configuration reloaded, nothing to take up"}, p.lines())
		require.NoError(t, p.loop.Trouble())
		assert.Equal(t, []string{"reloaded, 2 pending", "reloaded, 2 pending", "reloaded, 0 pending"}, p.results)
	})
}

// What can't be taken up is tried again at the next reload, whatever else has changed by then.
func TestRefused(t *testing.T) {
	in(t, func(t *testing.T, p *process) {
		p.refuse = errors.New("build store acme: no such thing")
		p.write(strings.Replace(file, "first-secret", "second-secret", 1))
		p.hangup()
		assert.Equal(t, []string{"error reload configuration failed, the previous one stays in force: build store acme: no such thing"}, p.lines())
		p.refuse = nil
		p.hangup()
		assert.Equal(t, []string{"info configuration reloaded: stores[acme].recharge.secrets"}, p.lines())
	})
}

// A configuration that brings a warning logs it once.
func TestWarnings(t *testing.T) {
	in(t, func(t *testing.T, p *process) {
		p.write(file + "    sms: {driver: webhook, webhook: {url: 'https://sms.example.com', secret: s}, shop_name: A}\n")
		for range 2 {
			p.hangup()
		}
		warnings := strings.Join(p.lines(), "\n")
		assert.Equal(t, 1, strings.Count(warnings, "warn configuration: "), warnings)
	})
}

// A process that ends while a configuration is taken up reports no failure.
func TestReloadDuringTheStop(t *testing.T) {
	in(t, func(t *testing.T, p *process) {
		p.loop.TakeUp = func(ctx context.Context, _ config.Config, _ []config.Change) error {
			p.stop()
			return ctx.Err()
		}
		p.write(strings.Replace(file, "first-secret", "second-secret", 1))
		p.hangup()
		<-p.done
		assert.Empty(t, p.lines())
		assert.Empty(t, p.results)
	})
}
