package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

const (
	lagEvery  = 15 * time.Second
	lagWithin = 5 * time.Second
)

// lagWatch reads the lag of this process's groups every 15 s, for the metrics. It covers the partitions that this process owns;
// other processes export theirs.
type lagWatch struct {
	reader  *admin.LagReader
	log     *zap.Logger
	mutex   sync.Mutex
	groups  map[string]func() kafka.Status
	changed chan struct{}
	last    atomic.Pointer[telemetry.LagReport]
}

func newLagWatch(cluster kafka.Cluster, log *zap.Logger, now func() time.Time) (*lagWatch, error) {
	reader, err := admin.NewLagReader(cluster, now)
	if err != nil {
		return nil, err
	}
	w := &lagWatch{reader: reader, log: log, groups: map[string]func() kafka.Status{}, changed: make(chan struct{}, 1)}
	w.last.Store(&telemetry.LagReport{})
	return w, nil
}

// add adds a group, or another consumer of it.
func (w *lagWatch) add(group string, status func() kafka.Status) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.groups[group] = status
}

// remove removes a group that no consumer of this process has any more.
func (w *lagWatch) remove(group string) {
	w.mutex.Lock()
	delete(w.groups, group)
	w.mutex.Unlock()
	w.soon()
}

func (w *lagWatch) queries() (queries []admin.LagQuery) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for group, status := range w.groups {
		queries = append(queries, admin.LagQuery{Group: group, Partitions: status().Partitions})
	}
	return queries
}

// soon triggers a read now, because partitions were assigned anew.
func (w *lagWatch) soon() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// report returns the lag last read. It is empty while the brokers do not answer, so that no stale value is exported.
func (w *lagWatch) report() telemetry.LagReport { return *w.last.Load() }

// run reads until ctx ends.
func (w *lagWatch) run(ctx context.Context) error {
	defer w.reader.Close()
	ticker := time.NewTicker(lagEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-w.changed:
		}
		report, err := w.read(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("read lag failed, lag metrics are missing", zap.Error(err))
		}
		w.last.Store(&report)
	}
}

func (w *lagWatch) read(ctx context.Context) (telemetry.LagReport, error) {
	ctx, cancel := context.WithTimeout(ctx, lagWithin)
	defer cancel()
	queries := w.queries()
	if len(queries) == 0 {
		return telemetry.LagReport{}, nil
	}
	cluster, err := w.reader.ClusterID(ctx)
	if err != nil {
		return telemetry.LagReport{}, err
	}
	lags, err := w.reader.Read(ctx, queries...)
	if err != nil {
		return telemetry.LagReport{}, err
	}
	report := telemetry.LagReport{Cluster: cluster}
	for _, lag := range lags {
		report.Lags = append(report.Lags, telemetry.Lag{
			Group: lag.Group, Topic: lag.Topic, Partition: lag.Partition, Committed: lag.Committed, Records: lag.Records, Age: lag.Age,
		})
	}
	return report, nil
}
