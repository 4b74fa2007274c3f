package main

import (
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// askedCluster is whom a command asks: the configured cluster or, without brokers, the embedded broker of the process that
// runs here with the same configuration.
func askedCluster(cfg config.Config) (kafka.Cluster, error) {
	cluster, err := clusterOf(cfg.Kafka)
	if err == nil && len(cluster.Brokers) == 0 {
		cluster.Brokers = []string{cfg.Embedded.Listen}
	}
	return cluster, err
}

// failed reports what went wrong between a command and the brokers.
func failed(c call, cfg config.Config, err error) int {
	say(c.stderr, "rechargeflow %s: %v\n", c.command.name, err)
	if len(cfg.Kafka.Brokers) == 0 {
		say(c.stderr, "kafka.brokers is empty, so the embedded broker at embedded.listen (%s) was asked: it is there while rechargeflow runs\n", cfg.Embedded.Listen)
	}
	return exitFailed
}

// misused reports wrong arguments or settings: the same call fails again.
func misused(c call, err error) int {
	say(c.stderr, "rechargeflow %s: %v\n", c.command.name, err)
	return exitUsage
}
