package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// generation is the time between two rebalances, in which a member keeps its partitions.
type generation struct {
	consumer  *Consumer
	pool      *conn.Pool
	member    groupMember
	log       *zap.Logger
	committer *committer
	fetcher   *fetcher

	partitions   []wire.Partition
	offsetsMutex sync.Mutex
	offsets      map[wire.Partition]committed // of all partitions, once fetched
}

// consumption is a consumer and what processes its records.
type consumption struct {
	consumer     *Consumer
	newProcessor func() processor
}

// runGeneration runs one generation until it ends, or until ctx has ended and the handlers have returned. When it returns all
// finished records are committed.
func (c *Consumer) runGeneration(ctx context.Context, pool *conn.Pool, gen *kafka.Generation, all []consumption) {
	log := c.log.With(zap.Int32("generation", gen.ID))
	fetcher := newFetcher(pool, c.config.FetchWait, log)
	status := statusOf(gen)
	numbers := numbersOf(gen)
	status.Extra = c.dropExtra(numbers, log)
	c.assignor.setLast(gen.ID, slices.Sorted(maps.Keys(numbers)))
	log.Info("partitions assigned", zap.Any("partitions", status.Partitions))
	c.setStatus(status, fetcher)
	defer c.setStatus(Status{}, nil)
	for _, x := range all {
		x.consumer.setStatus(status, fetcher)
		defer x.consumer.setStatus(Status{}, nil)
		if x.consumer.config.OnAssigned != nil {
			x.consumer.config.OnAssigned(status)
		}
	}

	finished := make(chan struct{})
	gen.Start(func(ended context.Context) {
		c.runConsumptions(ctx, ended, pool, fetcher, gen, numbers, all)
		close(finished)
		<-ended.Done() // returning earlier would end the generation, and kafka-go would join again while the consumer leaves
	})
	<-finished
	log.Info("partitions revoked")
}

// dropExtra removes the partition numbers that are not read, and returns them if they are to be reported.
func (c *Consumer) dropExtra(numbers map[int][]wire.Partition, log *zap.Logger) (extra []int) {
	for _, number := range slices.Sorted(maps.Keys(numbers)) {
		if c.config.Partitions.extra(number) {
			delete(numbers, number)
			extra = append(extra, number)
		}
	}
	if len(extra) == 0 || c.config.Partitions.IgnoreExtra {
		return nil
	}
	log.Error("topics have more partitions than configured, not reading the extra ones", zap.Ints("extra", extra), zap.Int("configured", c.config.Partitions.Count))
	return extra
}

// runConsumptions runs all consumptions of a generation until each has ended.
func (c *Consumer) runConsumptions(
	ctx, ended context.Context, pool *conn.Pool, fetcher *fetcher, gen *kafka.Generation, numbers map[int][]wire.Partition, all []consumption,
) {
	fetching, stopFetching := context.WithCancel(ctx)
	var running, fetches sync.WaitGroup
	fetches.Go(func() { fetcher.run(fetching) })
	joined := &membership{
		pool: pool, member: groupMember{group: gen.GroupID, member: gen.MemberID, generation: gen.ID}, valid: c.config.SessionTimeout / 3,
	}
	for _, x := range all {
		g := x.consumer.newGeneration(pool, fetcher, joined)
		running.Go(func() { g.run(ctx, ended, numbers, x.newProcessor) })
	}
	running.Wait()
	stopFetching()
	fetches.Wait()
}

func (c *Consumer) newGeneration(pool *conn.Pool, fetcher *fetcher, joined *membership) *generation {
	log := c.log.With(zap.Int32("generation", joined.member.generation))
	g := &generation{consumer: c, pool: pool, member: joined.member, log: log, fetcher: fetcher}
	g.committer = &committer{
		pool: pool, member: joined.member, requests: c.requests, log: log, wake: make(chan struct{}, 1), pending: make(map[*assignedPartition]bool),
		again: c.config.RecommitInterval,
	}
	if c.config.Group != joined.member.group { // the consumer's group has no members
		g.member = groupMember{group: c.config.Group, generation: noID}
		g.committer.member, g.committer.joined = g.member, joined
	}
	return g
}

// committedOffsets returns the committed offsets of partitions. They are fetched once for all of the generation's partitions.
func (g *generation) committedOffsets(ctx context.Context, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	g.offsetsMutex.Lock()
	defer g.offsetsMutex.Unlock()
	if g.offsets == nil {
		err := g.consumer.requests.do(ctx, func() (err error) {
			g.offsets, err = fetchOffsets(ctx, g.pool, g.member.group, g.partitions)
			// by the embedded broker, for a group that has neither members nor offsets
			if g.member.generation == noID && errors.Is(err, kafka.GroupIdNotFound) {
				g.offsets, err = noOffsets(g.partitions), nil
			}
			return err
		})
		if err != nil {
			g.offsets = nil
			return nil, err
		}
	}
	found := make(map[wire.Partition]committed)
	for _, at := range partitions {
		found[at] = g.offsets[at]
	}
	return found, nil
}

// numbersOf returns the member's partitions by partition number.
func numbersOf(gen *kafka.Generation) map[int][]wire.Partition {
	numbers := make(map[int][]wire.Partition)
	for topic, assignments := range gen.Assignments {
		for _, a := range assignments {
			numbers[a.ID] = append(numbers[a.ID], wire.Partition{Topic: topic, ID: int32(a.ID)})
		}
	}
	return numbers
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

// run processes all partitions until ctx or the generation has ended. It commits offsets meanwhile, and once more when the
// handlers have returned.
func (g *generation) run(ctx, ended context.Context, numbers map[int][]wire.Partition, newProcessor func() processor) {
	fetching, stopFetching := context.WithCancel(ctx)
	handling, stopHandling := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHandling()
	defer stopFetching()

	var workers sync.WaitGroup
	for _, partitions := range numbers {
		g.partitions = append(g.partitions, partitions...)
	}
	for number, partitions := range numbers {
		w := &worker{
			generation: g, processor: newProcessor(), number: number, ready: make(chan struct{}, 1),
			log: g.log.With(zap.Int("partition", number)),
		}
		workers.Go(func() { w.run(fetching, handling, partitions) })
	}
	handled := make(chan struct{})
	var helpers sync.WaitGroup
	helpers.Go(func() { g.committer.run(handled) })
	helpers.Go(func() {
		g.awaitEnd(ctx, ended, handled)
		stopFetching()
		stopHandling()
	})
	workers.Wait()
	select { // also for a member without partitions, or one that lost them before the generation ended
	case <-fetching.Done():
	case <-ended.Done():
	}
	close(handled)
	helpers.Wait()
}

// awaitEnd waits until handlers must stop: the generation has ended, or ctx has ended DrainTimeout ago, or all have returned.
func (g *generation) awaitEnd(ctx, ended context.Context, handled <-chan struct{}) {
	select {
	case <-ended.Done():
		return
	case <-handled:
		return
	case <-ctx.Done():
	}
	drain := time.NewTimer(g.consumer.config.DrainTimeout)
	defer drain.Stop()
	select {
	case <-ended.Done():
	case <-handled:
	case <-drain.C:
		g.log.Warn("handlers did not return in time, canceling them", zap.Duration("drain_timeout", g.consumer.config.DrainTimeout))
	}
}
