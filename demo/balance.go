package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// account is what there is to count, each from its own source.
type account struct {
	sent, accepted                         int // the demo itself
	webhooks, events, triggers, deadLetter int // records in the topics
	lookups                                int // of the raw records, those that are answers of the API
	customers, subscriptions               int // rows of the tables
	tracked, kept, texts, doubled          int // the simulators
	stillActive                            int // 1 when the customer ended as active
	fates                                  map[string]int
}

// balance prints the account and fails when two sources disagree.
func balance(ctx context.Context, out io.Writer, l *lab.Lab, process *lab.Process, p player) error {
	a := account{
		sent: p.sent, accepted: p.accepted, fates: map[string]int{},
		tracked: len(l.Bloomreach.Received()), kept: len(l.Bloomreach.Received()) - l.Bloomreach.Deduplicated(),
		texts: len(l.Texts.Texts()), doubled: len(l.Texts.Doubled()),
	}
	jo, _ := l.Bloomreach.Customer("registered", "jo.bean@example.com")
	if jo[subscriber.PropertyActive] != false {
		a.stillActive = 1
	}
	if err := a.readTopics(ctx, kafka.Cluster{Brokers: []string{l.Embedded}}); err != nil {
		return err
	}
	metrics, err := process.Metrics(ctx)
	if err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	a.readFates(metrics)
	a.print(out)
	return a.check(out)
}

// readTopics counts records and holds each to its schema.
func (a *account) readTopics(ctx context.Context, cluster kafka.Cluster) error {
	validator, err := schematest.New()
	if err != nil {
		return err
	}
	topics := pipeline.Topics{}
	for topic, count := range map[string]*int{
		topics.Webhooks(): &a.webhooks, topics.Events(): &a.events, topics.Triggers(): &a.triggers,
		topics.Customers(): &a.customers, topics.Subscriptions(): &a.subscriptions,
		topics.DeadLetters(pipeline.RoleTransformer): &a.deadLetter,
		topics.DeadLetters(pipeline.RoleTracking):    &a.deadLetter,
		topics.DeadLetters(pipeline.RoleSMS):         &a.deadLetter,
	} {
		records, err := kafka.ReadAll(ctx, cluster, topic)
		if err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
		*count += len(records)
		for _, r := range records {
			if r.Header(pipeline.HeaderOrigin) == pipeline.OriginLookup {
				a.lookups++
			}
			if r.Header(pipeline.HeaderDataSchema) == "" || r.Value == nil {
				continue
			}
			if err := validator.Check(r.Header(pipeline.HeaderDataSchema), r.Value); err != nil {
				return fmt.Errorf("record %d of %s: %w", r.Offset, topic, err)
			}
		}
	}
	return nil
}

// readFates reads rechargeflow_records_total: "role outcome reason" to its count.
func (a *account) readFates(metrics string) {
	for line := range strings.Lines(metrics) {
		labels, found := strings.CutPrefix(line, "rechargeflow_records_total{")
		if !found {
			continue
		}
		labels, value, _ := strings.Cut(labels, "} ")
		fate := map[string]string{}
		for label := range strings.SplitSeq(labels, ",") {
			name, quoted, _ := strings.Cut(label, "=")
			fate[name] = strings.Trim(quoted, `"`)
		}
		var n int
		if _, err := fmt.Sscan(value, &n); err == nil {
			a.fates[strings.TrimSpace(fate["role"]+" "+fate["outcome"]+" "+fate["reason"])] += n
		}
	}
}

func (a *account) print(out io.Writer) {
	say(out, "\n%-44s %5s\n%s\n", "what became of the webhooks", "count", strings.Repeat("-", 50))
	say(out, "%-44s %5d\n", "sent", a.sent)
	keys := make([]string, 0, len(a.fates))
	for key := range a.fates {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y string) int { return strings.Compare(order(x), order(y)) })
	for _, key := range keys {
		say(out, "%-44s %5d\n", key, a.fates[key])
	}
	say(out, "%-44s %5d\n", "commands that reached bloomreach", a.tracked)
	say(out, "%-44s %5d\n", "  of them kept after its deduplication", a.kept)
	say(out, "%-44s %5d\n", "texts that reached the sms gateway", a.texts)
	say(out, "%-44s %5d\n", "records in dead letter topics", a.deadLetter)
	say(out, "%-44s %5d\n", "answers of recharge's api (lookups)", a.lookups)
	say(out, "%-44s %5d\n", "changes of recharge.customers", a.customers)
	say(out, "%-44s %5d\n", "changes of recharge.subscriptions", a.subscriptions)
}

// order sorts by the roles' place in the pipeline.
func order(key string) string {
	role, _, _ := strings.Cut(key, " ")
	return fmt.Sprint(slices.Index(pipeline.Roles(), pipeline.Role(role))) + key
}

// total adds up a role's fates.
func (a *account) total(prefix string) int {
	n := 0
	for key, count := range a.fates {
		if strings.HasPrefix(key+" ", prefix+" ") {
			n += count
		}
	}
	return n
}
