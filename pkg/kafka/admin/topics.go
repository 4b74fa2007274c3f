package admin

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Spec is the topics that a cluster should have.
type Spec struct {
	// Topics are in the order of the file.
	Topics []TopicSpec
}

// TopicSpec is one topic that a cluster should have.
type TopicSpec struct {
	// Name is the full name, with prefix.
	Name string
	// Partitions is fixed at creation.
	Partitions int
	// OwnPartitions means that the topic's number of partitions is not that of the other topics.
	OwnPartitions bool
	// Replication is the replication factor.
	Replication int
	// Configs are the topic's settings by name, with values as brokers spell them.
	Configs map[string]string
}

// TopicOptions are the settings of an installation for its topics.
type TopicOptions struct {
	// Prefix is prepended to every name.
	Prefix string
	// SingleBroker sets replication and min.insync.replicas to 1, for a cluster of one broker.
	SingleBroker bool
	// Partitions replaces the number of the file if above zero.
	Partitions int
}

// topicsFile is the format of topics.yaml.
type topicsFile struct {
	Partitions  int          `yaml:"partitions"`
	Replication int          `yaml:"replication"`
	MinInSync   int          `yaml:"min_insync_replicas"`
	Roles       []string     `yaml:"roles"`
	Topics      []topicEntry `yaml:"topics"`
}

type topicEntry struct {
	Name       string            `yaml:"name"`
	Partitions int               `yaml:"partitions"` // 0: that of the file
	Policy     string            `yaml:"policy"`
	Retention  string            `yaml:"retention"`
	Config     map[string]string `yaml:"config"`
}

const (
	rolePattern   = "{role}"
	policyDelete  = "delete"
	policyCompact = "compact"
	forever       = "-1"
)

// ParseTopics parses a topics file for one installation. configs/topics.yaml explains the format. Unknown keys, invalid values
// and invalid topic names are errors.
func ParseTopics(content []byte, options TopicOptions) (Spec, error) {
	var file topicsFile
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return Spec{}, fmt.Errorf("parse topics: %w", err)
	}
	if options.SingleBroker {
		file.Replication, file.MinInSync = 1, 1
	}
	if options.Partitions > 0 {
		file.Partitions = options.Partitions
	}
	if err := file.validate(); err != nil {
		return Spec{}, fmt.Errorf("parse topics: %w", err)
	}
	spec, err := file.spec(options.Prefix)
	if err != nil {
		return Spec{}, fmt.Errorf("parse topics: %w", err)
	}
	return spec, nil
}

func (f topicsFile) validate() error {
	switch {
	case f.Partitions < 1:
		return fmt.Errorf("partitions is %d, must be at least 1", f.Partitions)
	case f.Replication < 1:
		return fmt.Errorf("replication is %d, must be at least 1", f.Replication)
	case f.MinInSync < 1 || f.MinInSync > f.Replication:
		return fmt.Errorf("min_insync_replicas is %d, must be between 1 and replication, which is %d", f.MinInSync, f.Replication)
	case len(f.Topics) == 0:
		return errors.New("topics file lists no topics")
	}
	return nil
}

func (f topicsFile) spec(prefix string) (Spec, error) {
	var spec Spec
	known := make(map[string]bool)
	for i, entry := range f.Topics {
		if entry.Partitions < 0 {
			return Spec{}, fmt.Errorf("topic %d (%s): partitions is %d, must be at least 1", i+1, entry.Name, entry.Partitions)
		}
		configs, err := entry.configs()
		if err != nil {
			return Spec{}, fmt.Errorf("topic %d (%s): %w", i+1, entry.Name, err)
		}
		configs["min.insync.replicas"] = strconv.Itoa(f.MinInSync)
		for _, name := range entry.names(prefix, f.Roles) {
			if err := checkTopicName(name); err != nil {
				return Spec{}, fmt.Errorf("topic %d: %w", i+1, err)
			}
			if known[name] {
				return Spec{}, fmt.Errorf("topic %d: duplicate name %s", i+1, name)
			}
			known[name] = true
			spec.Topics = append(spec.Topics, TopicSpec{
				Name: name, Partitions: cmp.Or(entry.Partitions, f.Partitions), OwnPartitions: entry.Partitions != 0,
				Replication: f.Replication, Configs: maps.Clone(configs),
			})
		}
	}
	return spec, nil
}

func (e topicEntry) names(prefix string, roles []string) []string {
	if !strings.Contains(e.Name, rolePattern) {
		return []string{prefix + e.Name}
	}
	var names []string
	for _, role := range roles {
		names = append(names, prefix+strings.ReplaceAll(e.Name, rolePattern, role))
	}
	return names
}

// configs returns the settings of a topic. Retention is always set, so that it does not depend on a broker's defaults.
func (e topicEntry) configs() (map[string]string, error) {
	retention, err := e.retention()
	if err != nil {
		return nil, err
	}
	configs := map[string]string{"cleanup.policy": e.Policy, "retention.ms": retention, "retention.bytes": forever}
	for key, value := range e.Config {
		if key == "cleanup.policy" || key == "retention.ms" || key == "min.insync.replicas" {
			return nil, fmt.Errorf("config %s: set policy, retention or min_insync_replicas instead", key)
		}
		spelled, err := configValue(key, value)
		if err != nil {
			return nil, fmt.Errorf("config %s: %w", key, err)
		}
		configs[key] = spelled
	}
	return configs, nil
}

func (e topicEntry) retention() (string, error) {
	switch {
	case e.Policy == policyDelete:
		retention, err := milliseconds(e.Retention)
		if err != nil {
			return "", fmt.Errorf("retention: %w", err)
		}
		return retention, nil
	case e.Policy == policyCompact && e.Retention == "":
		return forever, nil
	case e.Policy == policyCompact:
		return "", fmt.Errorf("retention %s is not allowed with policy compact", e.Retention)
	default:
		return "", fmt.Errorf("policy is %q, must be delete or compact", e.Policy)
	}
}

func configValue(key, value string) (string, error) {
	switch {
	case value == forever:
		return value, nil
	case strings.HasSuffix(key, ".ms"):
		return milliseconds(value)
	case strings.HasSuffix(key, ".bytes"):
		return byteCount(value)
	case value == "":
		return "", errors.New("is empty")
	default:
		return value, nil
	}
}

// milliseconds converts 400d or a duration of Go to milliseconds.
func milliseconds(value string) (string, error) {
	duration, err := time.ParseDuration(value)
	if days, ok := strings.CutSuffix(value, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		duration = time.Duration(n) * 24 * time.Hour
	}
	const maxDuration = 100 * 365 * 24 * time.Hour
	if err != nil || duration < time.Millisecond || duration > maxDuration {
		return "", fmt.Errorf("%q is not a duration such as 400d, 12h or 30s", value)
	}
	return strconv.FormatInt(duration.Milliseconds(), 10), nil
}

// byteCount converts 64MiB, 512KiB, 1GiB or a plain number to bytes.
func byteCount(value string) (string, error) {
	number, unit := value, int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if n, ok := strings.CutSuffix(value, suffix); ok {
			number, unit = n, size
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 33)
	if err != nil || n < 0 {
		return "", fmt.Errorf("%q is not a size such as 64MiB or 1048576", value)
	}
	return strconv.FormatInt(n*unit, 10), nil
}

func checkTopicName(name string) error {
	legal := regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
	if !legal.MatchString(name) || name == "." || name == ".." {
		return fmt.Errorf("%q is not a valid topic name: letters, digits, dots, underscores and hyphens, at most 249", name)
	}
	return nil
}
