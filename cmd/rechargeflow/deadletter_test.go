package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// desk is an embedded broker with all topics, under a prefix, and the command line for it.
type desk struct {
	t        *testing.T
	environ  []string
	topics   topology.Topics
	broker   *embedded.Broker
	cluster  kafka.Cluster
	producer *kafka.Producer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: "staging.", SingleBroker: true, Partitions: 4})
	require.NoError(t, err)
	broker, err := embedded.Start(embedded.Config{Topics: spec}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	d := &desk{
		t: t, topics: topology.Topics{Prefix: "staging."}, broker: broker, cluster: kafka.Cluster{Brokers: broker.Brokers()},
		environ: []string{"RECHARGEFLOW_KAFKA_BROKERS=" + broker.Brokers()[0], "RECHARGEFLOW_KAFKA_TOPIC_PREFIX=staging."},
	}
	d.producer = kafka.NewProducer(d.cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, d.producer.Close()) })
	return d
}

// call runs a command, given as one line.
func (d *desk) call(line string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	code = execute(d.t.Context(), strings.Fields(line), d.environ, &out, &errs)
	return code, out.String(), errs.String()
}

// exits runs a command and requires its exit code.
func (d *desk) exits(want int, line string) (stdout, stderr string) {
	d.t.Helper()
	code, stdout, stderr := d.call(line)
	require.Equal(d.t, want, code, "%s\n%s%s", line, stdout, stderr)
	return stdout, stderr
}

// die writes the dead letter of a record.
func (d *desk) die(role topology.Role, partition int, store, reason, cause string) {
	d.t.Helper()
	record := kafka.Record{
		Topic: "staging.recharge.webhooks", Partition: partition, Offset: 17, Key: []byte(store + "/246936001"),
		Value: []byte(`{"email":"jo.bean@example.com"}`), Time: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC),
		Headers: []kafka.Header{{Key: envelope.HeaderStore, Value: []byte(store)}, {Key: "odd", Value: []byte("\x1b[2J")}, {Key: "raw", Value: []byte{0xff}}},
	}
	letter := deadletter.Read(record).Rejected(string(role), reason, cause, time.Date(2026, 3, 1, 10, 0, 1, 0, time.UTC))
	require.NoError(d.t, d.producer.Produce(d.t.Context(), letter.To(d.topics.DeadLetters(role))))
}

func (d *desk) redriven(role topology.Role) int {
	d.t.Helper()
	records, err := kafkatest.ReadAll(d.t.Context(), d.cluster, d.topics.Redrive(role))
	require.NoError(d.t, err)
	return len(records)
}

// squeezed are the lines with one blank between words.
func squeezed(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(out, "\n")
}

func TestDeadLetterList(t *testing.T) {
	d := newDesk(t)
	stdout, _ := d.exits(cli.ExitOK, "deadletter list")
	assert.Equal(t, "dead letters: 0\n", stdout)

	d.die(topology.RoleTransformer, 3, "acme", "malformed", "field charge: is missing\n\x1b[31mred"+strings.Repeat(" and so on", 20))
	d.die(topology.RoleTracking, 1, "acme", "refused", "bloomreach: no such event")
	d.die(topology.RoleTracking, 2, "beta", "refused", "bloomreach: no such event")
	stdout, _ = d.exits(cli.ExitOK, "deadletter list")
	lines := strings.Split(squeezed(stdout), "\n")
	require.Len(t, lines, 7)
	assert.Equal(t, "LETTER WRITTEN STORE KEY REASON TRIES SENT CAUSE", lines[0])
	assert.Regexp(t, `^transformer/3/0 20\S+Z acme acme/246936001 malformed 1 0 field charge: is missing\?\?\[31mred and so on.*…$`, lines[1])
	assert.Regexp(t, `^tracking/1/0 20\S+Z acme acme/246936001 refused 1 0 bloomreach: no such event$`, lines[2])
	assert.Equal(t, []string{"dead letters: 3", "tracking refused: 2, sent again: 0", "transformer malformed: 1, sent again: 0"}, lines[4:])
	assert.NotContains(t, stdout, "jo.bean")

	stdout, _ = d.exits(cli.ExitOK, "deadletter list --role tracking --store beta --reason refused --key beta/246936001 --since 1h --until 2100-01-01")
	assert.Contains(t, stdout, "dead letters: 1\n")
	assert.Contains(t, stdout, "tracking/2/0 ")
	stdout, _ = d.exits(cli.ExitOK, "deadletter list --until 1d")
	assert.Equal(t, "dead letters: 0\n", stdout)
	stdout, _ = d.exits(cli.ExitOK, "deadletter list --limit 1")
	assert.Contains(t, stdout, "... and 2 more: --limit 0 prints them\ndead letters: 3\n")
}

func TestDeadLetterShow(t *testing.T) {
	d := newDesk(t)
	d.die(topology.RoleTransformer, 3, "acme", "malformed", "field charge: is missing")
	stdout, _ := d.exits(cli.ExitOK, "deadletter show transformer/3/0")
	assert.Equal(t, `letter:   transformer/3/0, in staging.recharge.deadletter.transformer
record:   staging.recharge.webhooks/3/17 of 2026-03-01T10:00:00Z
key:      acme/246936001
reason:   malformed
cause:    field charge: is missing
attempts: 1, first 2026-03-01T10:00:01Z, last 2026-03-01T10:00:01Z
headers of the record:
  store: acme
  odd: ?[2J
  raw: 1 bytes, not UTF-8 text
body:     31 bytes; --body prints them
`, stdout)
	stdout, _ = d.exits(cli.ExitOK, "deadletter show --body transformer/3/0")
	assert.True(t, strings.HasSuffix(stdout, "body:\n{\"email\":\"jo.bean@example.com\"}\n"), stdout)
	_, stderr := d.exits(cli.ExitFailed, "deadletter show transformer/3/1")
	assert.Contains(t, stderr, "no record at this offset")
}

func TestDeadLetterReplay(t *testing.T) {
	d := newDesk(t)
	stdout, _ := d.exits(cli.ExitOK, "deadletter replay")
	assert.Equal(t, "dead letters to send: 0; skipped, sent before: 0\n", stdout)
	for partition := range 4 {
		d.die(topology.RoleTracking, partition, "acme", "refused", "no")
	}
	d.die(topology.RoleSMS, 0, "acme", "text_not_rendered", "no")

	stdout, stderr := d.exits(cli.ExitOK, "deadletter replay")
	assert.Contains(t, stdout, "tracking/3/0 ")
	assert.Contains(t, stdout, "to staging.recharge.redrive.tracking: 4\n")
	assert.Contains(t, stdout, "to staging.recharge.redrive.sms: 1\n")
	assert.Contains(t, stdout, "dead letters to send: 5; skipped, sent before: 0\n")
	assert.True(t, strings.HasSuffix(stdout, "nothing was sent: this was a preview; the same call with --yes sends them\n"), stdout)
	assert.Empty(t, stderr)
	assert.Zero(t, d.redriven(topology.RoleTracking))

	stdout, _ = d.exits(cli.ExitOK, "deadletter replay --yes tracking/1/0 tracking/2/0")
	assert.Contains(t, stdout, "sent: 2 of 2\n")
	assert.Equal(t, 2, d.redriven(topology.RoleTracking))
	stdout, _ = d.exits(cli.ExitOK, "deadletter replay --yes --rate 1000")
	assert.Contains(t, stdout, "dead letters to send: 3; skipped, sent before: 2\n")
	assert.Contains(t, stdout, "sent: 3 of 3\n")
	stdout, _ = d.exits(cli.ExitOK, "deadletter replay --yes --role tracking")
	assert.Contains(t, stdout, "dead letters to send: 0; skipped, sent before: 4\n")
	stdout, _ = d.exits(cli.ExitOK, "deadletter replay --yes --again tracking/1/0")
	assert.Contains(t, stdout, "sent: 1 of 1\n")
	assert.Equal(t, 5, d.redriven(topology.RoleTracking))
	assert.Equal(t, 1, d.redriven(topology.RoleSMS))

	stdout, _ = d.exits(cli.ExitOK, "deadletter list --role tracking")
	assert.Regexp(t, `(?m)^tracking/1/0 .* refused 1 2 no$`, squeezed(stdout))
	assert.Contains(t, stdout, "tracking refused: 4, sent again: 4\n")
}

// stopping cancels ctx once that many dead letters are in the redrive topic.
type stopping struct {
	bytes.Buffer
	stop func()
}

// Write is part of io.Writer: the count is printed before the first dead letter is sent.
func (s *stopping) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "dead letters to send") {
		s.stop()
	}
	return s.Buffer.Write(p)
}

// When interrupted, replay prints how many were sent and how to continue.
func TestDeadLetterReplayStops(t *testing.T) {
	d := newDesk(t)
	for range 3 {
		d.die(topology.RoleTracking, 0, "acme", "refused", "no")
	}
	for _, again := range []string{"", " --again"} {
		ctx, stop := context.WithCancelCause(t.Context())
		var errs bytes.Buffer
		out := stopping{stop: func() { stop(errors.New("SIGINT")) }}
		code := execute(ctx, strings.Fields("deadletter replay --yes --rate 1"+again), d.environ, &out, &errs)
		assert.Equal(t, cli.ExitFailed, code)
		assert.Contains(t, out.String(), "sent: 0 of 3\nthe same call ")
		assert.Equal(t, "rechargeflow deadletter replay: stopped\n", errs.String())
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          {},
		"2026-03-01":                time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"2026-03-01T10:00:00+02:00": time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		"90m":                       now.Add(-90 * time.Minute),
		"7d":                        time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC),
	} {
		got, err := cli.ParseTime("since", text, now)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, bad := range []string{"-1h", "-2d", "d", "1w", "10:00"} {
		_, err := cli.ParseTime("until", bad, now)
		require.ErrorContains(t, err, "--until", bad)
	}
}
