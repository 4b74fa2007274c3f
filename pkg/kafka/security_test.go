package kafka_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func files(t *testing.T, f kafka.TLSFiles) *tls.Config {
	t.Helper()
	config, err := f.Load()
	require.NoError(t, err)
	return config
}

// One start of the broker serves all.
func TestSecuredApacheKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	b := kafkatest.StartSecured(t)
	as := func(mechanism string) kafka.SASL {
		return kafka.SASL{Mechanism: mechanism, Username: b.User, Password: b.Password}
	}
	at := func(addr string) kafka.Cluster { return kafka.Cluster{Brokers: []string{addr}, ClientID: "secured"} }
	with := func(addr string, sasl kafka.SASL, f kafka.TLSFiles) kafka.Cluster {
		cluster := at(addr)
		cluster.SASL = sasl
		if f != (kafka.TLSFiles{}) {
			cluster.TLS = files(t, f)
		}
		return cluster
	}
	trusting := kafka.TLSFiles{CA: b.CA}
	mutual := kafka.TLSFiles{CA: b.CA, Cert: b.Cert, Key: b.Key}
	none := kafka.SASL{}

	t.Run("lets us in", func(t *testing.T) {
		for name, cluster := range map[string]kafka.Cluster{
			"by PLAIN":                  with(b.SASL, as(kafka.MechanismPlain), kafka.TLSFiles{}),
			"by SCRAM-SHA-256":          with(b.SASL, as(kafka.MechanismSCRAM256), kafka.TLSFiles{}),
			"by SCRAM-SHA-512":          with(b.SASL, as(kafka.MechanismSCRAM512), kafka.TLSFiles{}),
			"by TLS":                    with(b.TLS, none, trusting),
			"by TLS of both sides":      with(b.MutualTLS, none, mutual),
			"by PLAIN over TLS":         with(b.SASLTLS, as(kafka.MechanismPlain), trusting),
			"by SCRAM-SHA-512 over TLS": with(b.SASLTLS, as(kafka.MechanismSCRAM512), trusting),
			"by TLS, with another name": with(b.TLS, none, kafka.TLSFiles{CA: b.CA, ServerName: "127.0.0.1"}),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				worksThroughout(t, cluster)
			})
		}
	})

	wrong := as(kafka.MechanismSCRAM256)
	wrong.Password = "hidden-and-wrong"
	wrongPlain := wrong
	wrongPlain.Mechanism = kafka.MechanismPlain
	stranger := wrong
	stranger.Username = "nobody"
	t.Run("keeps us out and says why", func(t *testing.T) {
		for name, c := range map[string]struct {
			cluster kafka.Cluster
			says    []string
			waits   bool // it could be a broker that is about to stop, too
		}{
			"a wrong password":           {with(b.SASL, wrong, kafka.TLSFiles{}), []string{`SASL SCRAM-SHA-256 as "rechargeflow"`, "check kafka.sasl.username and kafka.sasl.password"}, false},
			"a wrong password by PLAIN":  {with(b.SASLTLS, wrongPlain, trusting), []string{`SASL PLAIN as "rechargeflow"`, "check kafka.sasl.username and kafka.sasl.password"}, false},
			"an unknown user":            {with(b.SASL, stranger, kafka.TLSFiles{}), []string{`as "nobody"`, "check kafka.sasl.username"}, false},
			"a login where none is":      {with(b.Addr(), wrong, kafka.TLSFiles{}), []string{"takes no SASL", "leave kafka.sasl.mechanism empty"}, false},
			"the wrong authority":        {with(b.TLS, none, kafka.TLSFiles{CA: b.StrangeCA}), []string{"unknown authority", "check kafka.tls.ca_file"}, false},
			"the system's authorities":   {with(b.TLS, none, kafka.TLSFiles{ServerName: "127.0.0.1"}), []string{"check kafka.tls.ca_file"}, false},
			"the wrong name":             {with(b.TLS, none, kafka.TLSFiles{CA: b.CA, ServerName: "kafka.example"}), []string{"kafka.example", "check kafka.tls.server_name"}, false},
			"no certificate":             {with(b.MutualTLS, none, trusting), []string{"certificate", "check kafka.tls.cert_file"}, false},
			"plain text to TLS":          {at(b.TLS), []string{"speaks TLS", "set kafka.tls.enabled"}, false},
			"a login in plain to TLS":    {with(b.SASLTLS, wrong, kafka.TLSFiles{}), []string{"speaks TLS", "set kafka.tls.enabled"}, false},
			"TLS to plain text":          {with(b.Addr(), none, trusting), []string{"may not speak TLS"}, true},
			"no login":                   {at(b.SASL), []string{"may want", "kafka.sasl.mechanism"}, true},
			"no login over TLS":          {with(b.SASLTLS, none, trusting), []string{"may want", "kafka.sasl.mechanism"}, true},
			"an unknown mechanism":       {with(b.SASL, as("OAUTHBEARER"), kafka.TLSFiles{}), []string{`"OAUTHBEARER" is none of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512`}, true},
			"a login without a password": {with(b.SASL, kafka.SASL{Mechanism: kafka.MechanismPlain, Username: b.User}, kafka.TLSFiles{}), []string{"needs a username and a password"}, true},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := kafka.Plan(ctx, c.cluster, kafka.Spec{Topics: []kafka.TopicSpec{{Name: "t", Partitions: 1, Replication: 1}}})
				require.Error(t, err)
				require.NoError(t, ctx.Err(), "at once")
				for _, part := range c.says {
					require.ErrorContains(t, err, part)
				}
				assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, c.cluster, c.cluster), "hidden")
				if c.waits {
					return
				}
				require.ErrorIs(t, err, kafka.ErrAccess)
				producer := kafka.NewProducer(c.cluster, kafka.ProducerConfig{})
				defer producer.Close() //nolint:errcheck // nothing was sent
				err = producer.Produce(ctx, kafka.Record{Topic: "t", Value: []byte("x")})
				require.ErrorIs(t, err, kafka.ErrAccess)
				require.NoError(t, ctx.Err(), "the producer sees at once that waiting is of no use")
				assert.NotContains(t, err.Error(), "hidden")
			})
		}
	})

	t.Run("ends sessions, which is weathered", func(t *testing.T) {
		outlivesSessions(t, with(b.ShortSASL, as(kafka.MechanismSCRAM256), kafka.TLSFiles{}))
	})
}

// worksThroughout sends, reads and consumes, and makes topics.
func worksThroughout(t *testing.T, cluster kafka.Cluster) {
	topic := "secured-" + filepath.Base(t.TempDir()) + fmt.Sprint(time.Now().UnixNano())
	spec := kafka.Spec{Topics: []kafka.TopicSpec{{Name: topic, Partitions: 2, Replication: 1, Configs: map[string]string{"cleanup.policy": "delete"}}}}
	_, err := kafka.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	require.NoError(t, kafka.TopicExists(t.Context(), cluster, topic))
	changes, err := kafka.Plan(t.Context(), cluster, spec)
	require.NoError(t, err)
	assert.Equal(t, []kafka.Change{{Topic: topic, Action: kafka.ActionOK}}, changes)
	produce(t, cluster, append(numbered(topic, 0, 5), numbered(topic, 1, 5)...)...)
	read, err := kafka.ReadAll(t.Context(), cluster, topic)
	require.NoError(t, err)
	assert.Len(t, read, 10)
	assert.Len(t, consumeAll(t, cluster, quick(topic, topic), 10), 10)
}

// outlivesSessions works on while each login ends four times, as if nothing were.
func outlivesSessions(t *testing.T, cluster kafka.Cluster) {
	topic := fmt.Sprint("sessions-", time.Now().UnixNano())
	_, err := kafka.Apply(t.Context(), cluster, kafka.Spec{Topics: []kafka.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}})
	require.NoError(t, err)
	var handled collector
	consumer := run(t, cluster, quick(topic, topic), zap.NewNop(), handled.handle)
	eventually(t, func() bool { return assigned(consumer) }, "partition assigned")
	first := consumer.Status().Generation
	producer := newProducer(t, cluster)
	sent, slowest := 0, time.Duration(0)
	for end := time.Now().Add(4 * kafkatest.ShortSession); time.Now().Before(end); sent++ {
		started := time.Now()
		require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: topic, Partition: 0, Value: fmt.Append(nil, sent)}))
		slowest = max(slowest, time.Since(started))
	}
	eventually(t, func() bool { return handled.count() >= sent }, "records handled")
	var want []string
	for i := range sent {
		want = append(want, fmt.Sprint(i))
	}
	read, err := kafka.ReadAll(t.Context(), cluster, topic)
	require.NoError(t, err)
	assert.Equal(t, want, values(read), "each record once, in order")
	assert.Equal(t, want, values(handled.all()), "each record handled once, in order")
	assert.Equal(t, first, consumer.Status().Generation, "no rebalance")
	t.Logf("%d records over %s, sessions of %s, the slowest acknowledged after %s", sent, 4*kafkatest.ShortSession, kafkatest.ShortSession, slowest)
}

func TestTLSFilesNameTheFileAtFault(t *testing.T) {
	dir := t.TempDir()
	empty, absent := filepath.Join(dir, "empty.pem"), filepath.Join(dir, "absent.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing here"), 0o600))
	for name, c := range map[string]struct {
		files kafka.TLSFiles
		says  string
	}{
		"no CA file":       {kafka.TLSFiles{CA: absent}, absent},
		"nothing in it":    {kafka.TLSFiles{CA: empty}, "no certificate in " + empty},
		"no certificate":   {kafka.TLSFiles{Cert: absent, Key: absent}, absent},
		"not certificates": {kafka.TLSFiles{Cert: empty, Key: empty}, empty},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.files.Load()
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestThePasswordIsNotShown(t *testing.T) {
	cluster := kafka.Cluster{SASL: kafka.SASL{Mechanism: kafka.MechanismPlain, Username: "us", Password: "hidden"}}
	encoded, err := json.Marshal(cluster.SASL)
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(cluster), fmt.Sprintf("%+v", cluster), fmt.Sprintf("%#v", cluster), string(encoded)} {
		assert.NotContains(t, shown, "hidden")
		assert.Contains(t, shown, `PLAIN as`)
	}
}

// A broker that takes connections and says nothing holds nobody for long.
func TestABrokerThatSaysNothingIsGivenUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // nothing is under way
	for name, cluster := range map[string]kafka.Cluster{
		"in plain text": {},
		"by TLS":        {TLS: &tls.Config{MinVersion: tls.VersionTLS12}},
		"with a login":  {SASL: kafka.SASL{Mechanism: kafka.MechanismSCRAM256, Username: "us", Password: "hidden"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster.Brokers = []string{listener.Addr().String()}
			started := time.Now()
			require.Error(t, kafka.TopicExists(t.Context(), cluster, "t"))
			assert.Less(t, time.Since(started), 5*time.Second)
		})
	}
}
