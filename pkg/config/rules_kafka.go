package config

import (
	"net"
	"net/url"
)

// checkKafka reports settings of TLS and SASL that have no effect or are incomplete.
func (l *loader) checkKafka(k Kafka) {
	if len(k.Brokers) == 0 && (k.TLS.Enabled || k.SASL.Mechanism != "") {
		l.fault(l.root, "kafka.brokers", "empty, and the embedded broker supports neither kafka.tls nor kafka.sasl; expected the brokers that do")
	}
	l.checkTLS(k.TLS)
	l.checkSASL(k.SASL)
}

// checkEmbedded reports a moved clock in a process that is no trial.
func (l *loader) checkEmbedded(c Config) {
	if c.Embedded.ClockOffset == 0 {
		return
	}
	if len(c.Kafka.Brokers) > 0 {
		l.fault(l.root, "embedded.clock_offset", "given together with kafka.brokers; it is for trials with the embedded broker alone")
	}
	for _, store := range c.Stores {
		if key, address := store.SMS.calls(); address != "" && !onThisMachine(address) {
			l.fault(l.root, "embedded.clock_offset", "given, and store %s has an %s on another machine: texts would be sent at the wrong hours; it is for trials with a gateway on this machine", store.Name, key)
		}
	}
}

// onThisMachine reports whether a URL is of this machine.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (l *loader) checkTLS(t KafkaTLS) {
	if !t.Enabled {
		for _, given := range []struct{ path, value string }{
			{"kafka.tls.ca_file", t.CAFile},
			{"kafka.tls.cert_file", t.CertFile},
			{"kafka.tls.key_file", t.KeyFile},
			{"kafka.tls.server_name", t.ServerName},
		} {
			if given.value != "" && !l.root.distrusted["kafka.tls.enabled"] {
				l.fault(l.root, given.path, "given, while kafka.tls.enabled is false; expected true there, or nothing here")
			}
		}
		return
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		l.missing(l.root, "kafka.tls.key_file", " (it goes with kafka.tls.cert_file)")
	case t.CertFile == "" && t.KeyFile != "":
		l.missing(l.root, "kafka.tls.cert_file", " (it goes with kafka.tls.key_file)")
	}
}

func (l *loader) checkSASL(s KafkaSASL) {
	switch s.Mechanism {
	case "":
		for _, path := range []string{"username", "password", "token_file", "token_command", "extensions"} {
			if !l.root.isEmpty("kafka.sasl." + path) {
				l.missing(l.root, "kafka.sasl.mechanism", " (kafka.sasl."+path+" is given)")
			}
		}
	case SASLOAuthBearer:
		l.checkToken(s)
	default:
		l.unused(s.Mechanism, "token_file", "token_command", "extensions")
		if s.Username == "" {
			l.missing(l.root, "kafka.sasl.username", " (kafka.sasl.mechanism is set)")
		}
		if s.Password == "" {
			l.missing(l.root, "kafka.sasl.password", " (kafka.sasl.mechanism is set)")
		}
	}
}

func (l *loader) checkToken(s KafkaSASL) {
	l.unused(s.Mechanism, "username", "password")
	switch {
	case s.TokenFile == "" && len(s.TokenCommand) == 0:
		l.fault(l.root, "kafka.sasl.token_file", "missing, and so is kafka.sasl.token_command; OAUTHBEARER needs one of the two")
	case s.TokenFile != "" && len(s.TokenCommand) > 0:
		l.fault(l.root, "kafka.sasl.token_command", "given together with kafka.sasl.token_file, expected one of the two")
	}
}

// unused reports keys of kafka.sasl that a mechanism does not use.
func (l *loader) unused(mechanism string, keys ...string) {
	for _, key := range keys {
		if path := "kafka.sasl." + key; !l.root.isEmpty(path) {
			l.fault(l.root, path, "given, and %s does not use it; expected nothing here, or another kafka.sasl.mechanism", mechanism)
		}
	}
}
