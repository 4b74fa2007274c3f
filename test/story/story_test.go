// Package story_test runs the built binary from the gateway to both
// destinations, on the embedded broker and on Apache Kafka, and kills it.
//
//	story_test.go    the demo's script: the same on every broker; processes and topics
//	kill_test.go     kill -9 of every role
//	operator_test.go what an operator meets: the brokers are down while processes stop
//	frozen_test.go   one of two transformers is frozen, and the other one takes over
//	load_test.go     histories of many customers at their recorded times
//	attack_test.go   strangers and a captured webhook against the gateway
//	segments_test.go who received and clicked texts: counted, listed, and set in Bloomreach
//	links_test.go    a text with a short link, who opens it, and strangers who guess and are slow
//	drivers_test.go  every SMS driver with its simulator: wrong credentials, kill -9, and then all below
//	drivers_providers_test.go  the drivers, their simulators and settings
//	drivers_row_test.go        the texts of one driver, and how they must end
//	drivers_mishaps_test.go    how a provider misbehaves with a text
//	drivers_callbacks_test.go  deliveries and replies, forged and repeated ones
//	drivers_journal_test.go    follows recharge.messages
//	import_test.go    a store is imported while the command is killed
//	outage_test.go    the gateway is down for three days, webhooks are registered again, and a backfill runs among live ones
//	outage_recharge_test.go  Recharge around the outage
//	outage_facts_test.go     which facts and rows there must be afterwards
//	redrive_test.go  dead letters that are replayed
package story_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// build builds the binary for each test; Go's cache makes that cheap.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "rechargeflow")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/rechargeflow").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func newLab(t *testing.T, flows ...string) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.TempDir(), build(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.Flows = flows
	return l
}

func start(t *testing.T, l *lab.Lab, roles ...string) *lab.Process {
	t.Helper()
	p, err := l.Start(t.Context(), roles...)
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

// eachBroker runs a test in one process on the embedded broker, and with one
// process per role on the Apache Kafka that kafkatest chooses: running already, in
// a container, or from its jars.
func eachBroker(t *testing.T, test func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process), flows ...string) {
	t.Helper()
	eachBrokerFor(t, func(l *lab.Lab) { l.Flows = flows }, test)
}

// eachBrokerFor is eachBroker with a lab that is prepared before its processes are started.
func eachBrokerFor(t *testing.T, prepare func(*lab.Lab), test func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process)) {
	t.Helper()
	atOnce(t, map[string]func(*testing.T){
		"embedded": func(t *testing.T) {
			l := newLab(t)
			prepare(l)
			test(t, l, map[string]*lab.Process{"": start(t, l)})
		},
		"kafka": func(t *testing.T) {
			broker := kafkatest.Real(t)
			l := newLab(t)
			prepare(l)
			l.Brokers, l.Prefix = []string{broker.Addr()}, lab.RandomPrefix("story")
			require.NoError(t, l.ApplyTopics(t.Context()))
			processes := map[string]*lab.Process{}
			for _, role := range topology.Roles() {
				processes[string(role)] = start(t, l, string(role))
			}
			test(t, l, processes)
		},
	})
}

func cluster(l *lab.Lab) kafka.Cluster {
	if len(l.Brokers) > 0 {
		return kafka.Cluster{Brokers: l.Brokers}
	}
	return kafka.Cluster{Brokers: []string{l.Embedded}}
}

func read(t *testing.T, l *lab.Lab, topic string) []kafka.Record {
	t.Helper()
	records, err := kafkatest.ReadAll(t.Context(), cluster(l), topic)
	require.NoError(t, err)
	return records
}

// TestScript sends the demo's script. The topics and the destinations have the same records on every broker.
func TestScript(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		raw, err := os.ReadFile("../../demo/script.txtar")
		require.NoError(t, err)
		script, err := lab.ParseScript(raw, time.Now())
		require.NoError(t, err)
		for id, body := range script.Customers {
			l.API.PutCustomer(id, body)
		}
		answers := map[int]int{}
		for _, w := range script.Webhooks {
			status, _, err := l.Send(t.Context(), w)
			require.NoError(t, err)
			answers[status]++
		}
		assert.Equal(t, map[int]int{200: 22, 400: 1, 401: 1, 404: 1}, answers)
		topics := topology.Topics{Prefix: l.Prefix}
		eventually(t, func() bool {
			counts := statuses(t, l)
			return len(l.Bloomreach.Received()) >= 12 && len(read(t, l, topics.Triggers())) >= 14 &&
				len(read(t, l, topics.DeadLetters(topology.RoleTransformer))) >= 2 &&
				counts[message.Accepted] >= 5 && counts[message.Planned]+counts[message.Claimed] == 0
		})
		webhooks, lookups := byOrigin(read(t, l, topics.Webhooks()))
		assert.Equal(t, 22, webhooks)
		assert.GreaterOrEqual(t, lookups, 2, "Max's customer object, and Jo's subscriptions")
		for topic, want := range map[string]int{topics.Events(): 12, topics.Triggers(): 14, topics.DeadLetters(topology.RoleTransformer): 2} {
			assert.Equal(t, want, len(read(t, l, topic)), topic) //nolint:testifylint // Len would print every record
		}
		checkSchemas(t, read(t, l, topics.Events()), read(t, l, topics.Triggers()), read(t, l, topics.Customers()), read(t, l, topics.Subscriptions()))
		counts := statuses(t, l)
		stop(t, processes)
		assert.Equal(t, 12, len(l.Bloomreach.Received())) //nolint:testifylint // Len would print every command
		// The script takes no time: a subscription that is canceled, or a retry that fails for good, before its text is claimed gets none.
		assert.Len(t, l.Texts.Texts(), counts[message.Accepted])
		assert.LessOrEqual(t, counts[message.Accepted], 7)
	}, "subscription_started", "subscription_paused", "subscription_canceled", "charge_will_be_retried", "charge_failed", "charge_paid", "customer_account_activation")
}

// byOrigin counts raw records: webhooks and lookup answers. The transformer's own records are neither.
func byOrigin(raw []kafka.Record) (webhooks, lookups int) {
	for _, r := range raw {
		switch r.Header(envelope.HeaderSource) {
		case envelope.SourceLookup:
			lookups++
		case envelope.SourceWebhook:
			webhooks++
		}
	}
	return webhooks, lookups
}

// of returns the process with a role.
func of(processes map[string]*lab.Process, role topology.Role) *lab.Process {
	if all := processes[""]; all != nil {
		return all
	}
	return processes[string(role)]
}

// stop sends every process SIGTERM and expects exit code 0.
func stop(t *testing.T, processes map[string]*lab.Process) {
	t.Helper()
	for role, p := range processes {
		require.NoError(t, p.Stop(30*time.Second), "%s: %s", role, p.Output())
	}
}

func checkSchemas(t *testing.T, topics ...[]kafka.Record) {
	t.Helper()
	validator, err := schematest.New()
	require.NoError(t, err)
	for _, records := range topics {
		for _, r := range records {
			if r.Value == nil { // a deleted row
				continue
			}
			require.NoError(t, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
			require.Equal(t, "1.0", r.Header(envelope.HeaderCESpecVersion))
		}
	}
}

// eventually waits for a condition that other processes bring about.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 90*time.Second, 100*time.Millisecond)
}

// deliver sends a webhook until it is accepted, as Recharge does.
func deliver(ctx context.Context, l *lab.Lab, w lab.Webhook) error {
	for {
		accepted, err := try(ctx, l, w)
		if accepted || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// try sends a webhook once and reports whether it was accepted. A refusal for good is an error.
func try(ctx context.Context, l *lab.Lab, w lab.Webhook) (bool, error) {
	status, _, err := l.Send(ctx, w)
	switch {
	case err != nil, status == http.StatusServiceUnavailable:
		return false, nil // the process may have been killed
	case status != http.StatusOK:
		return false, fmt.Errorf("answer %d", status)
	}
	return true, nil
}
