package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// generation is the time between two rebalances, during which a member keeps its partitions.
type generation struct {
	consumer    *Consumer
	connections *connections
	log         *zap.Logger
	handle      Handler
	offsets     *committer
}

// serve runs one generation to its end, or until ctx ended and the handlers are done. It returns when everything is
// finished and committed.
func (c *Consumer) serve(ctx context.Context, connections *connections, gen *kafka.Generation, handle Handler) {
	log := c.log.With(zap.Int32("generation", gen.ID))
	g := &generation{
		consumer: c, connections: connections, log: log, handle: handle,
		offsets: newCommitter(gen.CommitOffsets, log),
	}
	status := statusOf(gen)
	status.Idle = c.idle(ctx, connections, status)
	c.setStatus(status)
	defer c.setStatus(Status{})
	log.Info("partitions assigned", zap.Any("partitions", status.Partitions))
	if status.Idle != "" {
		log.Warn("idle", zap.String("why", status.Idle))
	}
	if c.config.OnAssigned != nil {
		c.config.OnAssigned(status)
	}
	assignments := gen.Assignments
	if status.Idle != "" {
		assignments = nil
	}

	finished := make(chan struct{})
	gen.Start(func(ended context.Context) {
		g.run(ctx, ended, assignments)
		close(finished)
		<-ended.Done() // a function that returns ends the generation: kafka-go would join anew while we are leaving
	})
	<-finished
	log.Info("partitions released")
}

// idle says why a consumer that needs all partitions must not work, "" when it may.
func (c *Consumer) idle(ctx context.Context, connections *connections, status Status) string {
	if !c.config.Whole {
		return ""
	}
	for _, topic := range c.config.Topics {
		all, err := c.awaitPartitions(ctx, connections, topic)
		if err != nil {
			return fmt.Sprintf("can't tell whether all partitions are here: %v", err)
		}
		if have := len(status.Partitions[topic]); have < len(all) {
			return fmt.Sprintf("has %d of %d partitions of %s, works only with all: another process has the others", have, len(all), topic)
		}
	}
	return ""
}

// awaitPartitions weathers brokers that don't answer for a moment: the answer holds for the whole generation.
func (c *Consumer) awaitPartitions(ctx context.Context, connections *connections, topic string) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.RebalanceTimeout/2)
	defer cancel()
	pause := backoff{first: fetchRetry, most: fetchRetryMax}
	for {
		all, err := connections.partitions(ctx, topic)
		if err == nil || !pause.wait(ctx) {
			return all, err
		}
		c.log.Warn("ask for partitions", zap.Error(err))
		connections.refresh()
	}
}

func statusOf(gen *kafka.Generation) Status {
	status := Status{Member: true, Generation: int(gen.ID), Partitions: make(map[string][]int)}
	for topic, assignments := range gen.Assignments {
		partitions := make([]int, 0, len(assignments))
		for _, assignment := range assignments {
			partitions = append(partitions, assignment.ID)
		}
		slices.Sort(partitions)
		status.Partitions[topic] = partitions
	}
	return status
}

// run reads all partitions until ctx or the generation ended, and commits meanwhile and once more when handlers are done.
func (g *generation) run(ctx, ended context.Context, assignments map[string][]kafka.PartitionAssignment) {
	fetching, stopFetching := context.WithCancel(ctx)
	handling, stopHandling := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHandling()
	defer stopFetching()

	var partitions sync.WaitGroup
	for topic, assigned := range assignments {
		for _, a := range assigned {
			p := &partition{generation: g, topic: topic, id: a.ID, position: a.Offset, log: g.log.With(
				zap.String("topic", topic), zap.Int("partition", a.ID))}
			partitions.Go(func() { p.run(fetching, handling) })
		}
	}
	handled := make(chan struct{})
	var helpers sync.WaitGroup
	helpers.Go(func() { g.offsets.run(handled) })
	helpers.Go(func() {
		g.awaitEnd(ctx, ended, handled)
		stopFetching()
		stopHandling()
	})
	partitions.Wait()
	<-fetching.Done() // a member without partitions waits too
	close(handled)
	helpers.Wait()
}

// awaitEnd waits until handlers must stop: the generation ended, or ctx ended and the grace is over, or all are done.
func (g *generation) awaitEnd(ctx, ended context.Context, handled <-chan struct{}) {
	select {
	case <-ended.Done():
		return
	case <-handled:
		return
	case <-ctx.Done():
	}
	grace := time.NewTimer(g.consumer.config.DrainTimeout)
	defer grace.Stop()
	select {
	case <-ended.Done():
	case <-handled:
	case <-grace.C:
		g.log.Warn("handlers did not finish in time", zap.Duration("drain_timeout", g.consumer.config.DrainTimeout))
	}
}
