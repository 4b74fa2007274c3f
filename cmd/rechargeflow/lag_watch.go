package main

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

const (
	lagEvery  = 15 * time.Second
	lagWithin = 5 * time.Second
)

// lagWatch asks from time to time how far this process's groups are behind in the partitions that it has, for the metrics:
// another process has and tells the others.
type lagWatch struct {
	reader  *kafka.LagReader
	log     *zap.Logger
	groups  map[string]func() kafka.Status
	changed chan struct{}
	last    atomic.Pointer[telemetry.LagReport]
}

func newLagWatch(cluster kafka.Cluster, log *zap.Logger) (*lagWatch, error) {
	reader, err := kafka.NewLagReader(cluster, time.Now)
	if err != nil {
		return nil, err
	}
	w := &lagWatch{reader: reader, log: log, groups: map[string]func() kafka.Status{}, changed: make(chan struct{}, 1)}
	w.last.Store(&telemetry.LagReport{})
	return w, nil
}

// add watches a group, before run.
func (w *lagWatch) add(group string, status func() kafka.Status) { w.groups[group] = status }

// soon asks at once: partitions have been shared out anew.
func (w *lagWatch) soon() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// report is the last answer; empty while the brokers don't answer, since an old number would pass for a new one.
func (w *lagWatch) report() telemetry.LagReport { return *w.last.Load() }

// run asks until ctx ends.
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
		report, err := w.ask(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("ask for lag", zap.Error(err))
		}
		w.last.Store(&report)
	}
}

func (w *lagWatch) ask(ctx context.Context) (telemetry.LagReport, error) {
	ctx, cancel := context.WithTimeout(ctx, lagWithin)
	defer cancel()
	var readings []kafka.Reading
	for group, status := range w.groups {
		readings = append(readings, kafka.Reading{Group: group, Partitions: status().Partitions})
	}
	cluster, err := w.reader.ClusterID(ctx)
	if err != nil {
		return telemetry.LagReport{}, err
	}
	lags, err := w.reader.Read(ctx, readings...)
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
