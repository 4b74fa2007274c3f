package kafkatest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Secured is a broker of Apache Kafka that asks whoever comes who they are, at each of its ports in another way. It keeps
// the same topics for all.
type Secured struct {
	Broker // at its open port

	// SASL is a port in plain text that takes a login by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
	SASL string
	// TLS is a port that encrypts; MutualTLS one that wants a certificate too; SASLTLS one that encrypts and wants a login.
	TLS, MutualTLS, SASLTLS string
	// ShortSASL is SASL where a login is good for ShortSession only.
	ShortSASL string

	// User and Password are right everywhere.
	User, Password string
	// CA signed the broker's certificate, for the host 127.0.0.1, and trusts Cert with Key. StrangeCA is another.
	CA, Cert, Key, StrangeCA string
}

// ShortSession is how long a login at Secured.ShortSASL is good for.
const ShortSession = 2 * time.Second

// StartSecured starts such a broker from Kafka's jars and stops it with the test. Without Java or the jars the test is
// skipped.
func StartSecured(t testing.TB) Secured {
	t.Helper()
	j := needJava(t)
	s := Secured{User: "rechargeflow", Password: "let-me-in-7Q"}
	dir := t.TempDir()
	require.NoError(t, s.certificates(dir))
	addrs, err := freeAddrs(7)
	require.NoError(t, err)
	open, controller := addrs[0], addrs[1]
	s.SASL, s.TLS, s.MutualTLS, s.SASLTLS, s.ShortSASL = addrs[2], addrs[3], addrs[4], addrs[5], addrs[6]
	server, err := newServer(j, dir, base(1, "1@"+controller).and(replicas(1)).and(s.properties(open, controller, dir)))
	require.NoError(t, err)
	user := fmt.Sprintf("[name=%s,password=%s]", s.User, s.Password)
	require.NoError(t, server.format(t.Context(), clusterID(), "--add-scram", "SCRAM-SHA-256="+user, "--add-scram", "SCRAM-SHA-512="+user))
	t.Cleanup(server.end)
	s.Broker = Broker{t: t, addr: open, ours: server}
	s.start()
	return s
}

// certificates writes all files, the broker's own as broker.pem in the form that Kafka reads: key and certificate.
func (s *Secured) certificates(dir string) error {
	ca, err := newAuthority(dir, "ca")
	if err != nil {
		return err
	}
	stranger, err := newAuthority(dir, "stranger")
	if err != nil {
		return err
	}
	s.CA, s.StrangeCA = ca.file, stranger.file
	if s.Cert, s.Key, err = ca.sign(dir, "client"); err != nil {
		return err
	}
	certFile, keyFile, err := ca.sign(dir, "broker")
	if err != nil {
		return err
	}
	var store []byte
	for _, name := range []string{keyFile, certFile} {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		store = append(store, content...)
	}
	return os.WriteFile(filepath.Join(dir, "broker.pem"), store, 0o600)
}

// properties are of https://kafka.apache.org/documentation/#brokerconfigs; those of one port begin with its name.
func (s *Secured) properties(open, controller, dir string) properties {
	ports := []struct{ name, addr, protocol string }{
		{"OPEN", open, "PLAINTEXT"},
		{"SASL", s.SASL, "SASL_PLAINTEXT"},
		{"TLS", s.TLS, "SSL"},
		{"MUTUAL", s.MutualTLS, "SSL"},
		{"SASLTLS", s.SASLTLS, "SASL_SSL"},
		{"SHORT", s.ShortSASL, "SASL_PLAINTEXT"},
	}
	all := properties{
		"inter.broker.listener.name": "OPEN",
		"ssl.keystore.type":          "PEM",
		"ssl.keystore.location":      filepath.Join(dir, "broker.pem"),
		"ssl.truststore.type":        "PEM",
		"ssl.truststore.location":    s.CA,

		"listener.name.mutual.ssl.client.auth":          "required",
		"listener.name.short.connections.max.reauth.ms": fmt.Sprint(ShortSession.Milliseconds()),
	}
	var listeners, protocols []string
	for _, p := range ports {
		listeners = append(listeners, p.name+"://"+p.addr)
		protocols = append(protocols, p.name+":"+p.protocol)
		if strings.HasPrefix(p.protocol, "SASL") {
			all = all.and(s.login("listener.name." + strings.ToLower(p.name) + "."))
		}
	}
	all["advertised.listeners"] = strings.Join(listeners, ",")
	all["listeners"] = strings.Join(append(listeners, "CONTROLLER://"+controller), ",")
	all["listener.security.protocol.map"] = strings.Join(append(protocols, "CONTROLLER:PLAINTEXT"), ",")
	return all
}

// login is what a port needs to take logins.
func (s *Secured) login(port string) properties {
	const login = "org.apache.kafka.common.security."
	return properties{
		port + "sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		port + "plain.sasl.jaas.config":         fmt.Sprintf("%splain.PlainLoginModule required user_%s=%q;", login, s.User, s.Password),
		port + "scram-sha-256.sasl.jaas.config": login + "scram.ScramLoginModule required;",
		port + "scram-sha-512.sasl.jaas.config": login + "scram.ScramLoginModule required;",
	}
}
