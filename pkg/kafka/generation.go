package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// generation is the time between two rebalances, during which a member keeps its partitions.
type generation struct {
	consumer    *Consumer
	connections *connections
	by          membership
	log         *zap.Logger
	commits     *commits
	prefetch    *prefetch
}

// serve runs one generation to its end, or until ctx ended and the handlers are done. It returns when everything is
// finished and committed.
func (c *Consumer) serve(ctx context.Context, connections *connections, gen *kafka.Generation, newWork func() work) {
	log := c.log.With(zap.Int32("generation", gen.ID))
	g := c.newGeneration(connections, membership{group: gen.GroupID, member: gen.MemberID, generation: gen.ID}, log)
	status := statusOf(gen)
	status.Idle = c.idle(ctx, connections, status)
	c.setStatus(status, g.prefetch)
	defer c.setStatus(Status{}, nil)
	numbers := numbersOf(gen)
	c.balancer.remember(gen.ID, slices.Sorted(maps.Keys(numbers)))
	log.Info("partitions assigned", zap.Any("partitions", status.Partitions))
	if status.Idle != "" {
		log.Warn("idle", zap.String("why", status.Idle))
		numbers = nil
	}
	if c.config.OnAssigned != nil {
		c.config.OnAssigned(status)
	}

	finished := make(chan struct{})
	gen.Start(func(ended context.Context) {
		g.run(ctx, ended, numbers, newWork)
		close(finished)
		<-ended.Done() // a function that returns ends the generation: kafka-go would join anew while we are leaving
	})
	<-finished
	log.Info("partitions released")
}

func (c *Consumer) newGeneration(connections *connections, by membership, log *zap.Logger) *generation {
	return &generation{
		consumer: c, connections: connections, by: by, log: log,
		commits: newCommits(connections, by, log),
		prefetch: &prefetch{
			connections: connections, wait: c.config.FetchWait, lost: c.config.LostOffsets, onLost: func(n int64) { c.lost.Add(n) },
			log: log, wake: make(chan struct{}, 1), busy: make(map[slot]bool),
		},
	}
}

// numbersOf returns each partition number of a member with that partition of every topic.
func numbersOf(gen *kafka.Generation) map[int][]wire.Partition {
	numbers := make(map[int][]wire.Partition)
	for topic, assignments := range gen.Assignments {
		for _, a := range assignments {
			numbers[a.ID] = append(numbers[a.ID], wire.Partition{Topic: topic, ID: int32(a.ID)})
		}
	}
	return numbers
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
	pause := backoff{first: fetchRetry, most: fetchRetries}
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

// run works on all partitions until ctx or the generation ended, and commits meanwhile and once more when handlers are
// done.
func (g *generation) run(ctx, ended context.Context, numbers map[int][]wire.Partition, newWork func() work) {
	fetching, stopFetching := context.WithCancel(ctx)
	handling, stopHandling := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHandling()
	defer stopFetching()

	var workers sync.WaitGroup
	for number, partitions := range numbers {
		w := &worker{
			generation: g, work: newWork(), number: number, ready: make(chan struct{}, 1),
			log: g.log.With(zap.Int("partition", number)),
		}
		workers.Go(func() { w.run(fetching, handling, partitions) })
	}
	handled := make(chan struct{})
	var helpers sync.WaitGroup
	helpers.Go(func() { g.commits.run(handled) })
	helpers.Go(func() { g.prefetch.run(fetching) })
	helpers.Go(func() {
		g.awaitEnd(ctx, ended, handled)
		stopFetching()
		stopHandling()
	})
	workers.Wait()
	select { // a member without partitions waits too, and one that lost them before it was told
	case <-fetching.Done():
	case <-ended.Done():
	}
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
