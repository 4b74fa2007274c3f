package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	configVariable = "RECHARGEFLOW_CONFIG"
	configFile     = "rechargeflow.yaml"
)

// settings is the configuration of a command.
type settings struct {
	environ []string
	file    string // of --config
}

// addSettings gives a command the flag --config.
func (c *cli) addSettings(command *cobra.Command) *settings {
	s := &settings{environ: c.environ}
	command.Flags().StringVar(&s.file, "config", "", "configuration `file`")
	_ = command.MarkFlagFilename("config", "yaml", "yml") // the flag was just added
	return s
}

// load reads the configuration for a process that runs roles, or none. Its error has all faults. The values that are valid are
// returned with it.
func (s *settings) load(roles ...string) (config.Loaded, error) {
	loaded, err := config.Load(s.path(), s.environ, roles...)
	var found *config.Faults
	if errors.As(err, &found) {
		return loaded, faults(err, fmt.Sprintf("faults in the configuration: %d", len(found.List)))
	}
	if err != nil {
		return loaded, setting(err)
	}
	return loaded, nil
}

// path returns the configuration file: that of the flag, else of the environment, else the default one if it exists.
func (s *settings) path() string {
	if s.file != "" {
		return s.file
	}
	if path := variable(s.environ, configVariable); path != "" {
		return path
	}
	if _, err := os.Stat(configFile); err == nil {
		return configFile
	}
	return ""
}

// variable returns an environment variable, "" if it is not set.
func variable(environ []string, name string) string {
	for _, entry := range environ {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value
		}
	}
	return ""
}

// clusterOf returns the cluster for a command. If kafka.brokers is empty, it is the embedded broker of the process that runs on
// this machine with the same configuration.
func clusterOf(cfg config.Config) (kafka.Cluster, error) {
	cluster, err := app.Cluster(cfg.Kafka, nil) // a command ends before anything is replaced
	if err != nil {
		return cluster, setting(err)
	}
	if len(cluster.Brokers) == 0 {
		cluster.Brokers = []string{cfg.Embedded.Listen}
	}
	return cluster, nil
}

// explained adds to an error of the embedded broker that kafka.brokers is empty and which address was used.
func explained(cfg config.Config, err error) error {
	if err == nil || len(cfg.Kafka.Brokers) > 0 {
		return err
	}
	return fmt.Errorf("%w\nkafka.brokers is empty, so the embedded broker at embedded.listen (%s) was used: it runs only while rechargeflow runs",
		err, cfg.Embedded.Listen)
}
