package story_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestDrivers sends texts through every driver, in one process with a store for each. At first the credentials are wrong; then the process is killed
// while each provider has a text that it does not answer. After that each provider misbehaves in every way that it can, and reports deliveries and
// what customers reply. No provider gets a text twice, and each message ends as it must.
func TestDrivers(t *testing.T) {
	atOnce(t, map[string]func(*testing.T){
		"embedded": func(t *testing.T) { (&drivers{l: newLab(t, "subscription_started"), roles: []string{""}}).run(t) },
		"kafka": func(t *testing.T) {
			d := &drivers{l: newLab(t, "subscription_started"), roles: []string{"gateway", "transformer", "sms"}}
			d.l.Brokers, d.l.Prefix = []string{kafkatest.Real(t).Addr()}, lab.RandomPrefix("drivers")
			d.run(t)
		},
	})
}

// atOnce runs tests at the same time: they wait most of it. t.Parallel would run no more than there are processors.
func atOnce(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	var group sync.WaitGroup
	for name, test := range tests {
		group.Go(func() { t.Run(name, test) })
	}
	group.Wait()
}

// drivers is one run of the story.
type drivers struct {
	l         *lab.Lab
	rows      []*row
	roles     []string // of the processes, "" for all; the last one sends texts
	processes map[string]*lab.Process
	all       []*lab.Process // those that were killed, too
}

func (d *drivers) run(t *testing.T) {
	d.processes = map[string]*lab.Process{}
	for i, p := range providers(t, d.log) {
		d.rows = append(d.rows, newRow(d.l, p, i+1))
	}
	d.configure(func(p *provider) string { return p.key + "x" }, 5*time.Second)
	if len(d.l.Brokers) > 0 {
		require.NoError(t, d.l.ApplyTopics(t.Context()))
	}
	for _, role := range d.roles {
		d.start(t, role)
	}
	journal := newJournal(t, d.l)
	for _, r := range d.rows {
		r.journal = journal
	}
	d.wrongCredentials(t)
	d.kill(t)
	for _, r := range d.rows {
		r.optOut(t)
	}
	plays := map[string]func(*testing.T){}
	for _, r := range d.rows {
		plays[r.name] = r.play
	}
	atOnce(t, plays)
	topics := topology.Topics{Prefix: d.l.Prefix}
	checkSchemas(t, read(t, d.l, topics.Messages()), read(t, d.l, topics.Receipts()), read(t, d.l, topics.Consent()))
	for _, r := range d.rows {
		r.checkMessages(t)
	}
	stop(t, d.processes)
	for _, r := range d.rows {
		r.checkTexts(t)
	}
	d.checkLog(t)
}

// configure gives each store a key of its provider, and how long the provider may take.
func (d *drivers) configure(key func(*provider) string, timeout time.Duration) {
	const shop = "shop_name: Acme Coffee\nshop_url: https://acme.example\nportal_url: https://{shop}/portal/{hash}\nwindow: 1ms\n"
	d.l.TextStores = nil
	for _, r := range d.rows {
		d.l.TextStores = append(d.l.TextStores, lab.TextStore{Name: r.name, SMS: fmt.Sprintf("%stimeout: %s\n%s", shop, timeout, r.settings(key(r.provider)))})
	}
}

func rightKey(p *provider) string { return p.key }

func (d *drivers) start(t *testing.T, role string) {
	t.Helper()
	roles := []string{role}
	if role == "" {
		roles = nil
	}
	d.processes[role] = start(t, d.l, roles...)
	d.all = append(d.all, d.processes[role])
}

// sender returns the role that sends texts.
func (d *drivers) sender() string { return d.roles[len(d.roles)-1] }

// wrongCredentials: a store is paused while its credentials are wrong, and its text waits until they are corrected in the file.
func (d *drivers) wrongCredentials(t *testing.T) {
	t.Helper()
	waiting := map[*row]*customer{}
	for _, r := range d.rows {
		waiting[r] = r.customer()
		r.order(t, waiting[r])
	}
	for _, r := range d.rows {
		if r.simulator == nil {
			continue
		}
		r.await(t, waiting[r], func(last message.Change) bool { return last.Status == message.Planned && last.Code == r.wrongKey })
		eventually(t, func() bool { return d.paused(t, r) == "1" })
		assert.NotEmpty(t, r.simulator.Refused(), r.name)
		assert.Zero(t, r.simulator.Accepted(), r.name)
	}
	d.configure(rightKey, 5*time.Second)
	for _, p := range d.processes {
		require.NoError(t, d.l.Reconfigure(t.Context(), p))
	}
	for _, r := range d.rows {
		r.ends(t, waiting[r], message.Accepted, "")
		if r.simulator != nil {
			eventually(t, func() bool { return d.paused(t, r) == "0" })
			r.refused = len(r.simulator.Refused())
		}
	}
}

// paused returns the metric that says whether everything of a store is refused.
func (d *drivers) paused(t *testing.T, r *row) string {
	t.Helper()
	page, err := d.processes[d.sender()].Metrics(t.Context())
	require.NoError(t, err)
	_, value, _ := strings.Cut(page, fmt.Sprintf("rechargeflow_store_paused{role=\"sms\",store=%q} ", r.name))
	value, _, _ = strings.Cut(value, "\n")
	return value
}

// kill kills the process that sends when each provider has a text and has not answered.
func (d *drivers) kill(t *testing.T) {
	t.Helper()
	for _, r := range d.rows {
		if r.simulator != nil {
			r.simulator.Next(1, smstest.Behaviour{Accept: true, Hang: true})
			r.killed = r.customer()
			r.order(t, r.killed)
		}
	}
	for _, r := range d.rows {
		if r.simulator != nil {
			eventually(t, func() bool { return len(r.sentTo(r.killed)) == 1 })
		}
	}
	d.processes[d.sender()].Kill()
	d.configure(rightKey, lab.SMSTimeout)
	d.start(t, d.sender())
}

// log returns the log of all processes.
func (d *drivers) log() string {
	var log strings.Builder
	for _, p := range d.all {
		log.WriteString(p.Output())
	}
	return log.String()
}

// checkLog checks that the log has nothing private.
func (d *drivers) checkLog(t *testing.T) {
	t.Helper()
	log := d.log()
	for _, r := range d.rows {
		if r.key != "" {
			assert.NotContains(t, log, r.key, r.name)
		}
	}
	assert.NotContains(t, log, phonePrefix[1:])
	assert.NotRegexp(t, portalHash("[0-9]+"), log)
}
