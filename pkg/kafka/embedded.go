package kafka

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/folder"
)

const (
	housekeeping   = 10 * time.Minute
	applyTimeout   = 30 * time.Second
	keepOffsetsFor = 400 * 24 * time.Hour
)

// EmbeddedConfig says where an embedded broker keeps its records and where it listens.
type EmbeddedConfig struct {
	// Dir is the broker's folder, created when missing. Empty keeps everything in memory, for tests.
	Dir string
	// Listen is a loopback address, host:port; port 0 takes a free one. Empty means 127.0.0.1:0.
	Listen string
	// Advertise is the loopback address that clients are told to come to, for tests with something in between. Empty means
	// where it listens.
	Advertise string
	// Topics are made as Apply does.
	Topics Spec
	// SyncWrites makes every record and offset survive a power cut too, at the price of several disk flushes for each
	// request. Without it they survive the end of the process, kill -9 included: that is what the operating system has.
	SyncWrites bool
}

// Embedded is a broker inside the process, for a trial on one machine and for tests: one broker, no replicas, no
// authentication, and reachable from this machine alone.
type Embedded struct {
	cluster *kfake.Cluster
	brokers []string
	lock    *folder.Lock // nil where it has no folder
	stop    chan struct{}
	helpers sync.WaitGroup
	closing sync.Once
}

// StartEmbedded starts an embedded broker with its topics. The folder belongs to one process at a time: ErrLocked when
// another has it. Topics that can't be made what they should be are ErrRefused.
func StartEmbedded(config EmbeddedConfig, log *zap.Logger) (*Embedded, error) {
	broker, err := startEmbedded(config, log)
	if err != nil {
		return nil, fmt.Errorf("start embedded broker: %w", err)
	}
	return broker, nil
}

func startEmbedded(config EmbeddedConfig, log *zap.Logger) (*Embedded, error) {
	listen, err := listening(config)
	if err != nil {
		return nil, err
	}
	e := &Embedded{stop: make(chan struct{})}
	if config.Dir != "" {
		if e.lock, err = folder.Take(config.Dir); err != nil {
			return nil, fmt.Errorf("take folder %s: %w", config.Dir, err)
		}
	}
	if e.cluster, err = kfake.NewCluster(embeddedOptions(config, listen, log)...); err != nil {
		e.unlock()
		return nil, err
	}
	e.brokers = e.cluster.ListenAddrs()
	e.helpers.Go(e.keepHouse)
	ctx, cancel := context.WithTimeout(context.Background(), applyTimeout)
	defer cancel()
	if len(config.Topics.Topics) > 0 {
		if _, err := Apply(ctx, Cluster{Brokers: e.Brokers(), ClientID: "rechargeflow-embedded"}, config.Topics); err != nil {
			e.shut()
			return nil, err
		}
	}
	return e, nil
}

func embeddedOptions(config EmbeddedConfig, listen listenFunc, log *zap.Logger) []kfake.Opt {
	options := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID(rand.Text()), // of a new folder; one that has an id keeps it
		kfake.WithLogger(embeddedLog{log.Sugar()}),
		kfake.ListenFn(listen),
		// A trial left alone for a week must not begin from the first record again.
		kfake.BrokerConfigs(map[string]string{"offsets.retention.minutes": fmt.Sprint(int(keepOffsetsFor.Minutes()))}),
	}
	if config.Dir != "" {
		options = append(options, kfake.DataDir(filepath.Join(config.Dir, "kafka")))
	}
	if config.SyncWrites {
		options = append(options, kfake.SyncWrites())
	}
	return options
}

// Brokers returns where clients find the broker, for Cluster.Brokers.
func (e *Embedded) Brokers() []string { return slices.Clone(e.brokers) }

// Close stops the broker and gives its folder free. Requests under way fail.
func (e *Embedded) Close() error {
	e.closing.Do(e.shut)
	return nil
}

func (e *Embedded) shut() {
	close(e.stop)
	e.helpers.Wait()
	e.cluster.Close()
	e.unlock()
}

func (e *Embedded) unlock() {
	if e.lock != nil {
		_ = e.lock.Close() // nothing was written
	}
}

// keepHouse deletes what retention and compaction say. kfake does so by itself only in a process that created or
// changed a topic.
func (e *Embedded) keepHouse() {
	ticker := time.NewTicker(housekeeping)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			e.cluster.Compact()
		case <-e.stop:
			return
		}
	}
}

// embeddedLog brings the broker's words into our log.
type embeddedLog struct{ log *zap.SugaredLogger }

// Logf logs warnings and errors; the rest is one line per request.
func (l embeddedLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Errorf("embedded broker: "+format, args...)
	case kfake.LogLevelWarn:
		l.log.Warnf("embedded broker: "+format, args...)
	default:
	}
}
