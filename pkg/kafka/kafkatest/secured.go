package kafkatest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Secured is a broker of Apache Kafka whose ports require TLS, SASL or both. The topics are the same at all ports. Its
// StandardAuthorizer allows everything to User, to the client certificate and at the port without TLS and SASL; others have the
// rights of Grant.
type Secured struct {
	Broker // at its port without TLS and SASL
	dir    string

	// SASL is a plain text port that requires PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.
	SASL string
	// TLS is a port with TLS, MutualTLS one that requires a client certificate, SASLTLS one with TLS and SASL.
	TLS, MutualTLS, SASLTLS string
	// ShortSASL is SASL with authentication that expires after ShortSession.
	ShortSASL string

	// User and Password are the valid credentials.
	User, Password string
	// CA signed the broker's certificate, for the host 127.0.0.1, and Cert, whose key is Key. StrangeCA is an unrelated CA.
	CA, Cert, Key, StrangeCA string
}

// ShortSession is the lifetime of authentication at Secured.ShortSASL.
const ShortSession = 2 * time.Second

// StartSecured starts a Secured from Kafka's jars and stops it at the end of the test. Without Java or the jars the test is
// skipped.
func StartSecured(t testing.TB) Secured {
	t.Helper()
	j := needJava(t)
	dir := t.TempDir()
	s := Secured{User: "rechargeflow", Password: "let-me-in-7Q", dir: dir}
	require.NoError(t, s.certificates(dir))
	addrs, err := freeAddrs(7)
	require.NoError(t, err)
	open, controller := addrs[0], addrs[1]
	s.SASL, s.TLS, s.MutualTLS, s.SASLTLS, s.ShortSASL = addrs[2], addrs[3], addrs[4], addrs[5], addrs[6]
	server, err := newServer(j, dir, base(1, "1@"+controller).with(replicas(1)).with(s.properties(open, controller, dir)))
	require.NoError(t, err)
	user := fmt.Sprintf("[name=%s,password=%s]", s.User, s.Password)
	require.NoError(t, server.format(t.Context(), clusterID(), "--add-scram", "SCRAM-SHA-256="+user, "--add-scram", "SCRAM-SHA-512="+user))
	t.Cleanup(server.stop)
	s.Broker = Broker{t: t, addr: open, control: server}
	s.start()
	return s
}

// certificates writes all files. The broker's is broker.pem, with key and certificate, as Kafka requires.
func (s *Secured) certificates(dir string) error {
	ca, err := newAuthority(dir, "ca")
	if err != nil {
		return err
	}
	other, err := newAuthority(dir, "other")
	if err != nil {
		return err
	}
	s.CA, s.StrangeCA = ca.file, other.file
	if s.Cert, s.Key, err = ca.sign(dir, "client"); err != nil {
		return err
	}
	return ca.signBroker(dir)
}

// properties returns https://kafka.apache.org/documentation/#brokerconfigs; those of a port begin with its name.
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

		"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":           "User:ANONYMOUS;User:CN=client;User:" + s.User,

		"listener.name.mutual.ssl.client.auth":          "required",
		"listener.name.short.connections.max.reauth.ms": fmt.Sprint(ShortSession.Milliseconds()),
	}
	var listeners, protocols []string
	for _, p := range ports {
		listeners = append(listeners, p.name+"://"+p.addr)
		protocols = append(protocols, p.name+":"+p.protocol)
		if strings.HasPrefix(p.protocol, "SASL") {
			all = all.with(s.login("listener.name." + strings.ToLower(p.name) + "."))
		}
	}
	all["advertised.listeners"] = strings.Join(listeners, ",")
	all["listeners"] = strings.Join(append(listeners, "CONTROLLER://"+controller), ",")
	all["listener.security.protocol.map"] = strings.Join(append(protocols, "CONTROLLER:PLAINTEXT"), ",")
	return all
}

// login returns the properties of a port with SASL.
func (s *Secured) login(port string) properties {
	const login = "org.apache.kafka.common.security."
	return properties{
		port + "sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		port + "plain.sasl.jaas.config":         fmt.Sprintf("%splain.PlainLoginModule required user_%s=%q;", login, s.User, s.Password),
		port + "scram-sha-256.sasl.jaas.config": login + "scram.ScramLoginModule required;",
		port + "scram-sha-512.sasl.jaas.config": login + "scram.ScramLoginModule required;",
		// tokens without signatures: https://kafka.apache.org/documentation/#security_sasl_oauthbearer_unsecured_validation
		port + "oauthbearer.sasl.jaas.config": login + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
	}
}
