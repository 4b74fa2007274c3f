package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	// ConfigVariable names the configuration file.
	ConfigVariable = "RECHARGEFLOW_CONFIG"
	configFile     = "rechargeflow.yaml"
)

// Settings is the configuration of a command.
type Settings struct {
	environ []string
	file    string // of --config
}

// AddSettings gives a command the flag --config.
func (c *CLI) AddSettings(command *cobra.Command) *Settings {
	s := &Settings{environ: c.Environ}
	command.Flags().StringVar(&s.file, "config", "", "configuration `file`")
	_ = command.MarkFlagFilename("config", "yaml", "yml") // the flag was just added
	return s
}

// Load reads the configuration for a process that runs roles, or none. Its error has all faults. The values that are valid are
// returned with it.
func (s *Settings) Load(roles ...string) (config.Loaded, error) {
	loaded, err := config.Load(s.path(), s.environ, roles...)
	var found *config.Faults
	if errors.As(err, &found) {
		return loaded, Faults(err, fmt.Sprintf("faults in the configuration: %d", len(found.List)))
	}
	if err != nil {
		return loaded, Setting(err)
	}
	return loaded, nil
}

// path returns the configuration file: that of the flag, else of the environment, else the default one if it exists.
func (s *Settings) path() string {
	if s.file != "" {
		return s.file
	}
	if path := Variable(s.environ, ConfigVariable); path != "" {
		return path
	}
	if _, err := os.Stat(configFile); err == nil {
		return configFile
	}
	return ""
}

// Variable returns an environment variable, "" if it is not set.
func Variable(environ []string, name string) string {
	for _, entry := range environ {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value
		}
	}
	return ""
}

// ClusterOf returns the cluster for a command. If kafka.brokers is empty, it is the embedded broker of the process that runs on
// this machine with the same configuration.
func ClusterOf(cfg config.Config) (kafka.Cluster, error) {
	cluster, err := app.Cluster(cfg.Kafka, nil) // a command ends before anything is replaced
	if err != nil {
		return cluster, Setting(err)
	}
	if len(cluster.Brokers) == 0 {
		cluster.Brokers = []string{cfg.Embedded.Listen}
	}
	return cluster, nil
}

// Explained adds to an error of the embedded broker that kafka.brokers is empty and which address was used.
func Explained(cfg config.Config, err error) error {
	if err == nil || len(cfg.Kafka.Brokers) > 0 {
		return err
	}
	return fmt.Errorf("%w\nkafka.brokers is empty, so the embedded broker at embedded.listen (%s) was used: it runs only while rechargeflow runs",
		err, cfg.Embedded.Listen)
}

// PickStore returns the named store, or the only one if none is named.
func PickStore(stores []config.Store, name string) (config.Store, error) {
	var names []string
	for _, store := range stores {
		names = append(names, store.Name)
	}
	if name == "" && len(stores) == 1 {
		return stores[0], nil
	}
	if at := slices.Index(names, name); at >= 0 {
		return stores[at], nil
	}
	return config.Store{}, fmt.Errorf("--store is %q, expected one of %s", name, strings.Join(names, ", "))
}
