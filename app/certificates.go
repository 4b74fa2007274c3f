package app

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// certificates returns when the certificates of kafka.tls expire, from their files. A file that can't be read has no entry: the
// next connection to Kafka reports it.
func certificates(t config.KafkaTLS) (all []telemetry.Certificate) {
	if !t.Enabled {
		return nil
	}
	// a client certificate is the first of its file, the others are its chain; of several authorities brokers need only one
	if dates := expiries(t.CertFile); len(dates) > 0 {
		all = append(all, telemetry.Certificate{Use: "kafka_client", Expires: dates[0]})
	}
	if dates := expiries(t.CAFile); len(dates) > 0 {
		all = append(all, telemetry.Certificate{Use: "kafka_ca", Expires: last(dates)})
	}
	return all
}

// expiries returns the expiry of each certificate in a PEM file, in their order.
func expiries(file string) (dates []time.Time) {
	if file == "" {
		return nil
	}
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return dates
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			dates = append(dates, certificate.NotAfter)
		}
	}
}

func last(dates []time.Time) time.Time {
	latest := dates[0]
	for _, date := range dates {
		if date.After(latest) {
			latest = date
		}
	}
	return latest
}
