package app

import (
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
)

// Cluster returns the addresses and credentials of the configured brokers. kafka.brokers may be empty. It reads the files of
// kafka.tls. All credentials are read again for each connection; warn is called if that fails.
func Cluster(k config.Kafka, warn kafka.Warn) (kafka.Cluster, error) {
	cluster := kafka.Cluster{Brokers: k.Brokers, ClientID: k.ClientID, Rack: k.ClientRack}
	cluster.SASL = kafka.SASL{Mechanism: k.SASL.Mechanism, Username: k.SASL.Username, Secret: saslSecret(k.SASL, warn), Extensions: saslExtensions(k.SASL)}
	if !k.TLS.Enabled {
		return cluster, nil
	}
	files := kafka.TLSFiles{CA: k.TLS.CAFile, Cert: k.TLS.CertFile, Key: k.TLS.KeyFile, ServerName: k.TLS.ServerName}
	var err error
	if cluster.TLS, err = files.Load(warn); err != nil {
		return cluster, fmt.Errorf("kafka.tls: %w", err)
	}
	return cluster, nil
}

// saslSecret returns the source of the password or token; nil for none.
func saslSecret(s config.KafkaSASL, warn kafka.Warn) kafka.Secret {
	switch {
	case len(s.TokenCommand) > 0:
		return kafka.TokenCommand{Argv: s.TokenCommand, Setting: "kafka.sasl.token_command"}.Token(warn)
	case s.TokenFile != "":
		return kafka.TokenFile(s.TokenFile, "kafka.sasl.token_file", warn)
	case s.PasswordFile != "":
		return kafka.PasswordFile(s.PasswordFile, "kafka.sasl.password", warn)
	case s.Password != "":
		return kafka.StaticSecret(s.Password.Reveal())
	default:
		return nil
	}
}

// saslExtensions returns the SASL extensions by name.
func saslExtensions(s config.KafkaSASL) map[string]string {
	byName := make(map[string]string)
	for _, each := range s.Extensions {
		name, value, _ := strings.Cut(each, "=")
		byName[name] = value
	}
	return byName
}

// BuiltInTopics returns the topics of configs/topics.yaml with the configured prefix, durability and number of partitions.
func BuiltInTopics(k config.Kafka) (admin.Spec, error) {
	return admin.ParseTopics(configs.Topics(), topicOptions(k, k.Partitions))
}

// ParseTopics reads a topics file and applies the configured prefix and durability. The file must have the configured number of
// partitions, because processes would not write to its topics otherwise.
func ParseTopics(content []byte, k config.Kafka) (admin.Spec, error) {
	spec, err := admin.ParseTopics(content, topicOptions(k, 0))
	if err == nil && k.Partitions > 0 && spec.Topics[0].Partitions != k.Partitions {
		return admin.Spec{}, fmt.Errorf("the topics file has %d partitions, and kafka.partitions is %d: set both to the same number", spec.Topics[0].Partitions, k.Partitions)
	}
	return spec, err
}

func topicOptions(k config.Kafka, partitions int) admin.TopicOptions {
	return admin.TopicOptions{Prefix: k.TopicPrefix, SingleBroker: k.Durability == config.DurabilitySingle, Partitions: partitions}
}

// openCluster returns the configured cluster, or starts an embedded broker.
func (a *App) openCluster() (kafka.Cluster, error) {
	cluster, err := Cluster(a.cfg.Kafka, func(err error) {
		a.log.Warn("read credentials for Kafka failed, using those read last", zap.Error(err))
	})
	if err != nil {
		return cluster, err
	}
	if m := cluster.SASL.Mechanism; (m == kafka.MechanismPlain || m == kafka.MechanismOAuthBearer) && cluster.TLS == nil {
		a.log.Warn("kafka.tls.enabled is false: password or token are sent unencrypted", zap.String("kafka.sasl.mechanism", m))
	}
	if len(cluster.Brokers) > 0 {
		return cluster, nil
	}
	trial := a.cfg.Kafka
	trial.Durability = config.DurabilitySingle
	spec, err := BuiltInTopics(trial)
	if err != nil {
		return cluster, err
	}
	broker, err := embedded.Start(embedded.Config{Dir: a.cfg.Embedded.Dir, Listen: a.cfg.Embedded.Listen, Topics: spec}, a.log)
	if err != nil {
		return cluster, fmt.Errorf("embedded.listen, embedded.dir: %w", err)
	}
	a.onClose("close embedded broker", broker.Close)
	cluster.Brokers = broker.Brokers()
	a.log.Warn("TRIAL, ONE MACHINE: kafka.brokers is empty, so an embedded broker stores the records in this directory, without a copy",
		zap.String("dir", a.cfg.Embedded.Dir), zap.Strings("brokers", cluster.Brokers))
	return cluster, nil
}
