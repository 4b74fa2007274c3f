package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// mint gives a changelog partition that has none its origin, and reads it back: the first owner does so once, at its first
// TakeOver. It needs no transaction. Should two do it at once, since one does not know yet that it was fenced, the later
// origin counts for all who read on; a copy with the other is restored once more when compaction has removed that.
func (t *takeover) mint(ctx context.Context) error {
	producer := kafka.NewProducer(t.store.config.Cluster, kafka.ProducerConfig{})
	err := producer.Produce(ctx, t.record(originKey, []byte(rand.Text())))
	if err = errors.Join(err, producer.Close()); err != nil {
		return fmt.Errorf("write origin: %w", err)
	}
	t.store.config.Step("origin written")
	if err := t.reaches(ctx); err != nil {
		return err
	}
	if err := t.copy(ctx); err != nil {
		return err
	}
	if t.mark.Origin == "" {
		return errors.New("the origin that was written can't be read yet")
	}
	t.log.Info("changelog has its origin", zap.Int64("offset", t.mark.OriginOffset))
	return nil
}
