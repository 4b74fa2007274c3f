package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const (
	checkEvery   = 5 * time.Second
	checkTimeout = 5 * time.Second
	probeTimeout = 3 * time.Second
)

// brokerCheck runs two checks of the brokers, and holds their last results for /readyz.
//
//	brokers  are brokers and topics as the roles need them? Asked until they are. A fault that waiting does not fix ends the
//	         process; the roles wait for the others.
//	gateway  could the gateway store a webhook now: do the brokers answer, have they its topic, and may it write to it? Asked as
//	         long as the process runs: a gateway that gets no traffic because it is not ready can't find out by a webhook.
type brokerCheck struct {
	cluster  kafka.Cluster
	needs    atomic.Pointer[admin.Requirements] // may change while the process runs
	webhooks string                             // the gateway's topic; empty without the gateway
	log      *zap.Logger
	brokers  atomic.Pointer[error]
	gateway  atomic.Pointer[error]
	topics   *topicWatch
}

// newBrokerCheck registers both checks for /readyz.
func (a *App) newBrokerCheck(cluster kafka.Cluster) (*brokerCheck, error) {
	need, err := needs(a.cfg, a.roles)
	if err != nil {
		return nil, err
	}
	notAsked := errors.New("brokers not checked yet")
	c := &brokerCheck{cluster: cluster, log: a.log}
	c.require(need)
	c.brokers.Store(&notAsked)
	c.gateway.Store(&notAsked)
	a.health.Register("brokers", false, func() error { return *c.brokers.Load() })
	c.topics = a.newTopicWatch(c)
	if a.has(topology.RoleGateway) {
		c.webhooks = topology.Topics{Prefix: a.cfg.Kafka.TopicPrefix}.Webhooks()
		a.health.Register("gateway", true, func() error { return *c.gateway.Load() })
	}
	return c, nil
}

// require sets what is needed from now on.
func (c *brokerCheck) require(need admin.Requirements) { c.needs.Store(&need) }

func (c *brokerCheck) need() admin.Requirements { return *c.needs.Load() }

// needs returns what roles need of the brokers.
func needs(cfg config.Config, roles []topology.Role) (admin.Requirements, error) {
	k := cfg.Kafka
	if len(k.Brokers) == 0 {
		k.Durability = config.DurabilitySingle
	}
	spec, err := BuiltInTopics(k)
	if err != nil {
		return admin.Requirements{}, err
	}
	need := requirements(spec, roles, k.TopicPrefix)
	need.Partitions, need.Rights = PartitionCount(k), rights(cfg, roles)
	return need, nil
}

// PartitionCount returns the number of partitions by which keys are divided.
func PartitionCount(k config.Kafka) kafka.PartitionCount {
	return kafka.PartitionCount{Count: k.Partitions, IgnoreExtra: k.ExtraPartitions == config.ExtraIgnore}
}

// requirements returns the topics that the roles need, as the built-in topics file defines them.
func requirements(spec admin.Spec, roles []topology.Role, prefix string) admin.Requirements {
	var names []string
	for _, role := range roles {
		topics := topology.Topics{Prefix: prefix}
		names = slices.Concat(names, topics.Reads(role), topics.Writes(role), tables(prefix, role))
	}
	var need admin.Requirements
	for _, topic := range spec.Topics {
		if slices.Contains(names, topic.Name) {
			need.Topics = append(need.Topics, topic)
		}
	}
	return need
}

// run repeats the checks until ctx ends, no check is left to repeat, or a check fails permanently.
func (c *brokerCheck) run(ctx context.Context) error {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	met := c.met()
	for {
		c.probe(ctx)
		if met && c.webhooks == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if met {
			continue
		}
		if err := c.once(ctx); err != nil {
			return err
		}
		met = c.met()
	}
}

// met reports whether the brokers meet the requirements, and logs it the first time.
func (c *brokerCheck) met() bool {
	if *c.brokers.Load() != nil {
		return false
	}
	c.log.Info("broker checks passed", zap.Int("topics", len(c.need().Topics)))
	return true
}

// once checks brokers and topics. It returns an error only if waiting does not fix it.
func (c *brokerCheck) once(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := admin.Check(asking, c.cluster, c.need())
	if ctx.Err() != nil {
		return nil
	}
	before := *c.brokers.Swap(&err)
	if isFinal(err) {
		return fmt.Errorf("broker checks failed: %w", err)
	}
	if err != nil && (before == nil || before.Error() != err.Error()) {
		c.log.Warn("broker checks failed, waiting for brokers, topics and rights", zap.Error(err))
	}
	return nil
}

// probe checks that the brokers answer, have the gateway's topic with its number of partitions, and let the gateway write to it.
func (c *brokerCheck) probe(ctx context.Context) {
	if c.webhooks == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := admin.TopicWritable(ctx, c.cluster, c.webhooks, c.need().Partitions)
	c.gateway.Store(&err)
}

func isFinal(err error) bool {
	var unmet *admin.CheckError
	return errors.Is(err, kafka.ErrAccess) || errors.As(err, &unmet) && len(unmet.Permanent) > 0
}
