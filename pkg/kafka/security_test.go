package kafka_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func files(t *testing.T, f kafka.TLSFiles) func() (*tls.Config, error) {
	t.Helper()
	config, err := f.Load(nil)
	require.NoError(t, err)
	return config
}

// TestSecuredApacheKafka uses one broker for all cases.
func TestSecuredApacheKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	b := kafkatest.StartSecured(t)
	as := func(mechanism string) kafka.SASL {
		return kafka.SASL{Mechanism: mechanism, Username: b.User, Secret: kafka.StaticSecret(b.Password)}
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

	t.Run("grants access", func(t *testing.T) {
		for name, cluster := range map[string]kafka.Cluster{
			"by PLAIN":                  with(b.SASL, as(kafka.MechanismPlain), kafka.TLSFiles{}),
			"by SCRAM-SHA-256":          with(b.SASL, as(kafka.MechanismSCRAM256), kafka.TLSFiles{}),
			"by SCRAM-SHA-512":          with(b.SASL, as(kafka.MechanismSCRAM512), kafka.TLSFiles{}),
			"by TLS":                    with(b.TLS, none, trusting),
			"by mutual TLS":             with(b.MutualTLS, none, mutual),
			"by OAUTHBEARER":            b.As(b.User),
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
	wrong.Secret = kafka.StaticSecret("hidden-and-wrong")
	wrongPlain := wrong
	wrongPlain.Mechanism = kafka.MechanismPlain
	unknown := wrong
	unknown.Username = "nobody"
	expired := b.As("").SASL
	expired.Secret = kafka.StaticSecret(kafkatest.Token("hidden", time.Now().Add(-time.Hour)))
	noToken := expired
	noToken.Secret = nil
	absent := expired
	absent.Secret = kafka.TokenFile(filepath.Join(t.TempDir(), "hidden"), "kafka.sasl.token_file", nil)
	t.Run("denies access and names the setting", func(t *testing.T) {
		for name, c := range map[string]struct {
			cluster kafka.Cluster
			want    []string
			waits   bool // it could also be a broker that shuts down
		}{
			"a wrong password":          {with(b.SASL, wrong, kafka.TLSFiles{}), []string{`SASL SCRAM-SHA-256 as "rechargeflow"`, "check kafka.sasl.username and kafka.sasl.password"}, false},
			"a wrong password by PLAIN": {with(b.SASLTLS, wrongPlain, trusting), []string{`SASL PLAIN as "rechargeflow"`, "check kafka.sasl.username and kafka.sasl.password"}, false},
			"an unknown user":           {with(b.SASL, unknown, kafka.TLSFiles{}), []string{`as "nobody"`, "check kafka.sasl.username"}, false},
			"an expired token":          {with(b.SASL, expired, kafka.TLSFiles{}), []string{"SASL OAUTHBEARER", "check the token of kafka.sasl.token_file or kafka.sasl.token_command"}, false},
			"no token":                  {with(b.SASL, noToken, kafka.TLSFiles{}), []string{"needs kafka.sasl.token_file or kafka.sasl.token_command"}, true},
			"no token file":             {with(b.SASL, absent, kafka.TLSFiles{}), []string{"kafka.sasl.token_file: read the file: no such file"}, true},
			"SASL at a port without":    {with(b.Addr(), wrong, kafka.TLSFiles{}), []string{"does not use SASL", "leave kafka.sasl.mechanism empty"}, false},
			"another CA":                {with(b.TLS, none, kafka.TLSFiles{CA: b.StrangeCA}), []string{"unknown authority", "check kafka.tls.ca_file"}, false},
			"the system's CAs":          {with(b.TLS, none, kafka.TLSFiles{ServerName: "127.0.0.1"}), []string{"check kafka.tls.ca_file"}, false},
			"the wrong name":            {with(b.TLS, none, kafka.TLSFiles{CA: b.CA, ServerName: "kafka.example"}), []string{"kafka.example", "check kafka.tls.server_name"}, false},
			"no certificate":            {with(b.MutualTLS, none, trusting), []string{"certificate", "check kafka.tls.cert_file"}, false},
			"plain text to TLS":         {at(b.TLS), []string{"requires TLS", "set kafka.tls.enabled"}, false},
			"SASL in plain text to TLS": {with(b.SASLTLS, wrong, kafka.TLSFiles{}), []string{"requires TLS", "set kafka.tls.enabled"}, false},
			"TLS to plain text":         {with(b.Addr(), none, trusting), []string{"may not use TLS"}, true},
			"no credentials":            {at(b.SASL), []string{"may require", "kafka.sasl.mechanism"}, true},
			"no credentials over TLS":   {with(b.SASLTLS, none, trusting), []string{"may require", "kafka.sasl.mechanism"}, true},
			"an unknown mechanism":      {with(b.SASL, as("GSSAPI"), kafka.TLSFiles{}), []string{`"GSSAPI", must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`}, true},
			"no password":               {with(b.SASL, kafka.SASL{Mechanism: kafka.MechanismPlain, Username: b.User}, kafka.TLSFiles{}), []string{"needs kafka.sasl.username and kafka.sasl.password"}, true},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := admin.Plan(ctx, c.cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: "t", Partitions: 1, Replication: 1}}})
				require.Error(t, err)
				require.NoError(t, ctx.Err(), "at once")
				for _, part := range c.want {
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
				require.NoError(t, ctx.Err(), "the producer fails at once")
				assert.NotContains(t, err.Error(), "hidden")
			})
		}
	})

	t.Run("renews", func(t *testing.T) {
		t.Run("authentication by SCRAM", func(t *testing.T) {
			t.Parallel()
			outlivesSessions(t, with(b.ShortSASL, as(kafka.MechanismSCRAM256), kafka.TLSFiles{}))
		})
		t.Run("a token", func(t *testing.T) {
			t.Parallel()
			short := with(b.ShortSASL, kafka.SASL{Mechanism: kafka.MechanismOAuthBearer}, kafka.TLSFiles{})
			short.SASL.Secret = func(context.Context) (string, error) {
				return kafkatest.Token(b.User, time.Now().Add(3*time.Second)), nil
			}
			outlivesSessions(t, short)
		})
	})
	survivesRotation(t, b)
}

// survivesRotation replaces the password and the CA while a producer and a consumer run.
func survivesRotation(t *testing.T, b kafkatest.Secured) {
	name := filepath.Join(t.TempDir(), "rotated")
	replace := func(content []byte) {
		require.NoError(t, os.WriteFile(name+".new", content, 0o600))
		require.NoError(t, os.Rename(name+".new", name))
	}
	refused := func(t *testing.T, cluster kafka.Cluster) {
		eventually(t, func() bool {
			return errors.Is(admin.TopicExists(t.Context(), cluster, "kafkatest-ready", kafka.PartitionCount{}), kafka.ErrAccess)
		}, "old credentials are refused")
	}
	t.Run("of a password", func(t *testing.T) {
		replace([]byte(b.Password))
		cluster := kafka.Cluster{Brokers: []string{b.ShortSASL}, SASL: kafka.SASL{
			Mechanism: kafka.MechanismSCRAM512, Username: b.User, Secret: kafka.PasswordFile(name, "kafka.sasl.password", nil),
		}}
		survives(t, cluster, kafkatest.ShortSession, func() {
			b.SetPassword("another-one")
			refused(t, cluster)
			replace([]byte("another-one"))
		})
	})
	t.Run("of a CA", func(t *testing.T) {
		content, err := os.ReadFile(b.CA)
		require.NoError(t, err)
		replace(content)
		cluster := kafka.Cluster{Brokers: []string{b.TLS}, TLS: files(t, kafka.TLSFiles{CA: name})}
		survives(t, cluster, 0, func() {
			rotated, err := os.ReadFile(b.RotateCA())
			require.NoError(t, err)
			refused(t, cluster)
			replace(rotated)
		})
	})
}

// survives produces and consumes before, during and after a change, and until all sessions of the time before have ended. No
// record may be lost.
func survives(t *testing.T, cluster kafka.Cluster, session time.Duration, change func()) {
	topic := fmt.Sprint("rotation-", time.Now().UnixNano())
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}})
	require.NoError(t, err)
	var handled collector
	run(t, cluster, quick(topic, topic), zap.NewNop(), handled.handle)
	producer := newProducer(t, cluster)
	var sent atomic.Int64
	stop := make(chan struct{})
	var producing sync.WaitGroup
	producing.Go(func() {
		for value, retries := 0, 0; ; {
			select {
			case <-stop:
				t.Logf("%d records, %d retries", sent.Load(), retries)
				return
			default:
			}
			if producer.Produce(t.Context(), kafka.Record{Topic: topic, Partition: 0, Value: fmt.Append(nil, value)}) != nil {
				retries++
				continue
			}
			value++
			sent.Add(1)
		}
	})
	more := func(what string) {
		since := int64(handled.count())
		eventually(t, func() bool { return int64(handled.count()) > since+100 && sent.Load() > since+100 }, what)
	}
	more("records before the change")
	change()
	started := time.Now()
	eventually(t, func() bool { return time.Since(started) > session }, "older sessions have ended")
	more("records after the change")
	close(stop)
	producing.Wait()
	want := int(sent.Load())
	eventually(t, func() bool { return len(distinct(values(handled.all()))) >= want }, "records handled")
	for i, value := range distinct(values(handled.all())) {
		require.Equal(t, fmt.Sprint(i), value, "in order")
	}
}

// distinct returns the values without repetitions, in the order of their first occurrence.
func distinct(all []string) (first []string) {
	seen := make(map[string]bool, len(all))
	for _, value := range all {
		if !seen[value] {
			seen[value] = true
			first = append(first, value)
		}
	}
	return first
}

// worksThroughout creates a topic, produces, reads and consumes.
func worksThroughout(t *testing.T, cluster kafka.Cluster) {
	topic := "secured-" + filepath.Base(t.TempDir()) + fmt.Sprint(time.Now().UnixNano())
	spec := admin.Spec{Topics: []admin.TopicSpec{{Name: topic, Partitions: 2, Replication: 1, Configs: map[string]string{"cleanup.policy": "delete"}}}}
	_, err := admin.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	require.NoError(t, admin.TopicExists(t.Context(), cluster, topic, kafka.PartitionCount{Count: 2}))
	changes, err := admin.Plan(t.Context(), cluster, spec)
	require.NoError(t, err)
	assert.Equal(t, []admin.Change{{Topic: topic, Action: admin.ActionOK}}, changes)
	produce(t, cluster, append(numbered(topic, 0, 5), numbered(topic, 1, 5)...)...)
	read, err := kafkatest.ReadAll(t.Context(), cluster, topic)
	require.NoError(t, err)
	assert.Len(t, read, 10)
	assert.Len(t, consumeAll(t, cluster, quick(topic, topic), 10), 10)
}

// outlivesSessions produces and consumes while the authentication expires four times.
func outlivesSessions(t *testing.T, cluster kafka.Cluster) {
	topic := fmt.Sprint("sessions-", time.Now().UnixNano())
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}})
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
	read, err := kafkatest.ReadAll(t.Context(), cluster, topic)
	require.NoError(t, err)
	assert.Equal(t, want, values(read), "each record once, in order")
	assert.Equal(t, want, values(handled.all()), "each record handled once, in order")
	assert.Equal(t, first, consumer.Status().Generation, "no rebalance")
	t.Logf("%d records over %s, sessions of %s, the slowest acknowledged after %s", sent, 4*kafkatest.ShortSession, kafkatest.ShortSession, slowest)
}

func TestTLSFilesErrors(t *testing.T) {
	dir := t.TempDir()
	empty, absent := filepath.Join(dir, "empty.pem"), filepath.Join(dir, "absent.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing here"), 0o600))
	for name, c := range map[string]struct {
		files kafka.TLSFiles
		want  string
	}{
		"no CA file":       {kafka.TLSFiles{CA: absent}, absent},
		"an empty CA file": {kafka.TLSFiles{CA: empty}, "no certificate in " + empty},
		"no certificate":   {kafka.TLSFiles{Cert: absent, Key: absent}, absent},
		"not certificates": {kafka.TLSFiles{Cert: empty, Key: empty}, empty},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.files.Load(nil)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestPasswordIsHidden(t *testing.T) {
	cluster := kafka.Cluster{SASL: kafka.SASL{Mechanism: kafka.MechanismPlain, Username: "us", Secret: kafka.StaticSecret("hidden")}}
	encoded, err := json.Marshal(cluster.SASL)
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(cluster), fmt.Sprintf("%+v", cluster), fmt.Sprintf("%#v", cluster), string(encoded)} {
		assert.NotContains(t, shown, "hidden")
		assert.Contains(t, shown, `PLAIN as`)
	}
}

// TestSilentBroker: a broker that accepts connections and does not respond does not block callers.
func TestSilentBroker(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // no request is in flight
	for name, cluster := range map[string]kafka.Cluster{
		"in plain text": {},
		"by TLS":        {TLS: files(t, kafka.TLSFiles{})},
		"with SASL":     {SASL: kafka.SASL{Mechanism: kafka.MechanismSCRAM256, Username: "us", Secret: kafka.StaticSecret("hidden")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster.Brokers = []string{listener.Addr().String()}
			started := time.Now()
			require.Error(t, admin.TopicExists(t.Context(), cluster, "t", kafka.PartitionCount{}))
			assert.Less(t, time.Since(started), 5*time.Second)
		})
	}
}
