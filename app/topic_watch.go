package app

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// topicWatch compares the topics of the roles with what the roles need, as long as the process runs. The findings are in the log,
// in /readyz and in a metric; they never stop the process. That a topic with another number of partitions is not written by key
// is up to the producer, which knows within seconds.
type topicWatch struct {
	cluster kafka.Cluster
	need    func() admin.Requirements
	metrics *telemetry.Metrics
	log     *zap.Logger
	last    atomic.Pointer[error]
}

// newTopicWatch registers the findings for /readyz.
func (a *App) newTopicWatch(check *brokerCheck) *topicWatch {
	w := &topicWatch{cluster: check.cluster, need: check.need, metrics: a.metrics, log: a.log}
	w.last.Store(new(error))
	a.health.Register("topics", false, func() error { return *w.last.Load() })
	return w
}

// run inspects the topics at each tick until ctx ends.
func (w *topicWatch) run(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			w.inspect(ctx)
		}
	}
}

// inspect logs findings when they change. While brokers do not answer the last findings remain: the check of the brokers reports
// that.
func (w *topicWatch) inspect(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	findings, err := admin.Inspect(asking, w.cluster, w.need())
	if err != nil {
		if ctx.Err() == nil {
			w.log.Warn("inspect topics failed, will retry", zap.Error(err))
		}
		return
	}
	w.export(findings)
	found := joined(findings)
	before := *w.last.Swap(&found)
	switch {
	case found == nil && before != nil:
		w.log.Info("topics are as needed again")
	case found != nil && (before == nil || before.Error() != found.Error()):
		w.log.Error("topics are not as needed", zap.Error(found))
	}
}

// export sets the metric of each topic and kind.
func (w *topicWatch) export(findings []admin.Finding) {
	wrong := map[admin.Finding]bool{}
	for _, f := range findings {
		wrong[admin.Finding{Topic: f.Topic, Kind: f.Kind}] = true
	}
	for _, topic := range w.need().Topics {
		for _, kind := range admin.Kinds() {
			w.metrics.TopicTrouble(topic.Name, string(kind), wrong[admin.Finding{Topic: topic.Name, Kind: kind}])
		}
	}
	w.metrics.TopicTrouble("", string(admin.KindRights), wrong[admin.Finding{Kind: admin.KindRights}]) // to a group, to transactions
}

// joined returns all findings as one error, nil for none.
func joined(findings []admin.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	texts := make([]string, len(findings))
	for i, f := range findings {
		texts[i] = f.Text
	}
	return errors.New(strings.Join(texts, "; "))
}
