package config

// checkKafka reports settings of TLS and SASL that have no effect, or lack their other half.
func (l *loader) checkKafka(k Kafka) {
	if len(k.Brokers) == 0 && (k.TLS.Enabled || k.SASL.Mechanism != "") {
		l.fault(l.root, "kafka.brokers", "empty, and the embedded broker knows neither kafka.tls nor kafka.sasl; expected the brokers that do")
	}
	l.checkTLS(k.TLS)
	l.checkSASL(k.SASL)
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
	switch {
	case s.Mechanism == "" && (s.Username != "" || s.Password != ""):
		l.missing(l.root, "kafka.sasl.mechanism", " (kafka.sasl.username or kafka.sasl.password is given)")
	case s.Mechanism == "":
	case s.Username == "":
		l.missing(l.root, "kafka.sasl.username", " (kafka.sasl.mechanism is set)")
	case s.Password == "":
		l.missing(l.root, "kafka.sasl.password", " (kafka.sasl.mechanism is set)")
	}
}
