package embedded

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

	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

const (
	cleanupInterval = 10 * time.Minute
	applyTimeout    = 30 * time.Second
	offsetRetention = 400 * 24 * time.Hour
)

// Config configures an embedded broker.
type Config struct {
	// Dir is the broker's data directory, created if missing. Empty keeps everything in memory, for tests.
	Dir string
	// Listen is a loopback address, host:port; port 0 selects a free one. Empty means 127.0.0.1:0.
	Listen string
	// Advertise is the loopback address that the broker returns to clients, for tests with a proxy. Empty means the address
	// it listens on.
	Advertise string
	// Topics are created as by admin.Apply.
	Topics admin.Spec
	// SyncWrites flushes every record and offset to disk, so that they survive a power failure, at the price of several
	// flushes per request. Without it they survive the end of the process, kill -9 included, because the operating system
	// has them.
	SyncWrites bool
}

// Broker is an embedded broker: no replicas, no authentication, reachable from this machine only.
type Broker struct {
	cluster *kfake.Cluster
	brokers []string
	lock    *dirlock.Lock // nil without a data directory
	stop    chan struct{}
	helpers sync.WaitGroup
	closing sync.Once
}

// Start starts an embedded broker with its topics. Its data directory belongs to one process at a time: dirlock.ErrLocked if
// another process has it. Topics that can't be changed to match the configuration are admin.ErrRefused.
func Start(config Config, log *zap.Logger) (*Broker, error) {
	broker, err := start(config, log)
	if err != nil {
		return nil, fmt.Errorf("start embedded broker: %w", err)
	}
	return broker, nil
}

func start(config Config, log *zap.Logger) (*Broker, error) {
	listen, err := listener(config)
	if err != nil {
		return nil, err
	}
	b := &Broker{stop: make(chan struct{})}
	if config.Dir != "" {
		if b.lock, err = dirlock.Acquire(config.Dir); err != nil {
			return nil, fmt.Errorf("lock data directory %s: %w", config.Dir, err)
		}
	}
	if b.cluster, err = kfake.NewCluster(options(config, listen, log)...); err != nil {
		b.unlock()
		return nil, err
	}
	b.brokers = b.cluster.ListenAddrs()
	b.helpers.Go(b.cleanUp)
	ctx, cancel := context.WithTimeout(context.Background(), applyTimeout)
	defer cancel()
	if len(config.Topics.Topics) > 0 {
		if _, err := admin.Apply(ctx, kafka.Cluster{Brokers: b.Brokers(), ClientID: "rechargeflow-embedded"}, config.Topics); err != nil {
			b.shutDown()
			return nil, err
		}
	}
	return b, nil
}

func options(config Config, listen listenFunc, log *zap.Logger) []kfake.Opt {
	options := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID(rand.Text()), // of a new data directory; an existing one keeps its id
		kfake.WithLogger(logger{log.Sugar()}),
		kfake.ListenFn(listen),
		// A trial that is left alone for a week must not start again from the first record.
		kfake.BrokerConfigs(map[string]string{"offsets.retention.minutes": fmt.Sprint(int(offsetRetention.Minutes()))}),
	}
	if config.Dir != "" {
		options = append(options, kfake.DataDir(filepath.Join(config.Dir, "kafka")))
	}
	if config.SyncWrites {
		options = append(options, kfake.SyncWrites())
	}
	return options
}

// Brokers returns the broker's address, for kafka.Cluster.
func (b *Broker) Brokers() []string { return slices.Clone(b.brokers) }

// Close stops the broker and unlocks its data directory. Requests in flight fail.
func (b *Broker) Close() error {
	b.closing.Do(b.shutDown)
	return nil
}

func (b *Broker) shutDown() {
	close(b.stop)
	b.helpers.Wait()
	b.cluster.Close()
	b.unlock()
}

func (b *Broker) unlock() {
	if b.lock != nil {
		_ = b.lock.Close() // nothing was written
	}
}

// cleanUp applies retention and compaction. kfake does so only in a process that has created or changed a topic.
func (b *Broker) cleanUp() {
	ticker := time.NewTicker(cleanupInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.cluster.Compact()
		case <-b.stop:
			return
		}
	}
}

// logger passes kfake's warnings and errors to zap.
type logger struct{ log *zap.SugaredLogger }

// Logf drops levels below warning: they are one line per request.
func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Errorf("embedded broker: "+format, args...)
	case kfake.LogLevelWarn:
		l.log.Warnf("embedded broker: "+format, args...)
	default:
	}
}
