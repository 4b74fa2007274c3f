package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// createOrigin writes the origin of a changelog partition that has none, and reads it back. The first owner does so at its
// first TakeOver, without a transaction. If two processes do it at once (one of them fenced without knowing it), the later
// origin is valid. A copy with the other origin is restored again after compaction has removed that one.
func (t *takeover) createOrigin(ctx context.Context) error {
	producer := kafka.NewProducer(t.store.config.Cluster, kafka.ProducerConfig{})
	err := producer.Produce(ctx, t.record(originKey, []byte(rand.Text())))
	if err = errors.Join(err, producer.Close()); err != nil {
		return fmt.Errorf("write origin: %w", err)
	}
	t.store.config.FaultPoint("origin written")
	if err := t.reaches(ctx); err != nil {
		return err
	}
	if err := t.restore(ctx); err != nil {
		return err
	}
	if t.mark.Origin == "" {
		return errors.New("origin was written, but is not readable yet")
	}
	t.log.Debug("origin of changelog partition written", zap.Int64("offset", t.mark.OriginOffset))
	return nil
}
