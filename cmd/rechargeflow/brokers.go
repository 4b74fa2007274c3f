package main

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// clusterOf says how to reach the configured brokers, of which there may be none. It reads the files of kafka.tls.
func clusterOf(k config.Kafka) (kafka.Cluster, error) {
	cluster := kafka.Cluster{
		Brokers: k.Brokers, ClientID: k.ClientID,
		SASL: kafka.SASL{Mechanism: k.SASL.Mechanism, Username: k.SASL.Username, Password: k.SASL.Password.Reveal()},
	}
	if !k.TLS.Enabled {
		return cluster, nil
	}
	files := kafka.TLSFiles{CA: k.TLS.CAFile, Cert: k.TLS.CertFile, Key: k.TLS.KeyFile, ServerName: k.TLS.ServerName}
	var err error
	if cluster.TLS, err = files.Load(); err != nil {
		return cluster, fmt.Errorf("kafka.tls: %w", err)
	}
	return cluster, nil
}
