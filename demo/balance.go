package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

// account holds the counts, each from its own source.
type account struct {
	sent, accepted                       int // the demo itself
	webhooks, events, triggers, receipts int // records in the topics
	deadLetter                           int
	lookups, internal                    int // of the raw records, answers of the API, and the transformer's own
	facts                                int
	customers, subscriptions, charges    int // rows of the tables
	tracked, kept, texts, doubled        int // the simulators
	stillActive                          int // 1 when the customer ended as active
	outcomes                             map[string]int
}

// balance prints the account and fails when two sources disagree.
func balance(ctx context.Context, p *player) error {
	l := p.lab
	a := account{
		sent: p.sent, accepted: p.accepted, outcomes: map[string]int{},
		tracked: len(l.Bloomreach.Received()), kept: len(l.Bloomreach.Received()) - l.Bloomreach.Deduplicated(),
		texts: len(l.Texts.Texts()), doubled: len(l.Texts.Duplicates()),
	}
	jo, _ := l.Bloomreach.Customer("registered", "jo.bean@example.com")
	if jo[subscriber.PropertyActive] != false {
		a.stillActive = 1
	}
	if err := a.readTopics(ctx, kafka.Cluster{Brokers: []string{l.Embedded}}); err != nil {
		return err
	}
	metrics, err := p.process.Metrics(ctx)
	if err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	for _, page := range append(p.metrics, metrics) {
		a.readOutcomes(page)
	}
	a.print(p.out)
	return a.check(p.out)
}

// readTopics counts the records and validates each against its schema.
func (a *account) readTopics(ctx context.Context, cluster kafka.Cluster) error {
	validator, err := schematest.New()
	if err != nil {
		return err
	}
	topics := topology.Topics{}
	counts := map[string]*int{
		topics.Webhooks(): &a.webhooks, topics.Events(): &a.events, topics.Triggers(): &a.triggers, topics.Receipts(): &a.receipts,
		topics.Facts(): &a.facts, topics.Customers(): &a.customers, topics.Subscriptions(): &a.subscriptions, topics.Charges(): &a.charges,
	}
	for _, role := range topology.Consumers() {
		counts[topics.DeadLetters(role)] = &a.deadLetter
	}
	for topic, count := range counts {
		for r, err := range kafka.Scan(ctx, cluster, topic, time.Time{}) {
			if err != nil {
				return err
			}
			*count++
			if topic == topics.Webhooks() {
				a.countSource(r.Header(envelope.HeaderSource))
			}
			if r.Header(envelope.HeaderCEDataSchema) == "" || r.Value == nil {
				continue
			}
			if err := validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value); err != nil {
				return fmt.Errorf("record %d of %s: %w", r.Offset, topic, err)
			}
		}
	}
	return nil
}

// countSource counts a raw record that is no webhook.
func (a *account) countSource(source string) {
	switch source {
	case envelope.SourceLookup:
		a.lookups++
	case envelope.SourceOwner, envelope.SourceMoved, envelope.SourceChargeOwner, envelope.SourceDeleted:
		a.internal++
	}
}

// readOutcomes reads rechargeflow_records_total, by "role outcome reason", and rechargeflow_texts_total, by "text status reason".
func (a *account) readOutcomes(metrics string) {
	for line := range strings.Lines(metrics) {
		name, labels, _ := strings.Cut(line, "{")
		if name != "rechargeflow_records_total" && name != "rechargeflow_texts_total" {
			continue
		}
		labels, value, _ := strings.Cut(labels, "} ")
		parsed := map[string]string{}
		for label := range strings.SplitSeq(labels, ",") {
			name, quoted, _ := strings.Cut(label, "=")
			parsed[name] = strings.Trim(quoted, `"`)
		}
		var n int
		if _, err := fmt.Sscan(value, &n); err == nil {
			what := cmp.Or(parsed["role"], "text") + " " + parsed["outcome"] + parsed["status"] + " " + parsed["reason"]
			a.outcomes[strings.TrimSpace(what)] += n
		}
	}
}

func (a *account) print(out io.Writer) {
	printf(out, "\n%-44s %5s\n%s\n", "outcomes", "count", strings.Repeat("-", 50))
	printf(out, "%-44s %5d\n", "sent", a.sent)
	keys := make([]string, 0, len(a.outcomes))
	for key := range a.outcomes {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y string) int { return strings.Compare(order(x), order(y)) })
	for _, key := range keys {
		printf(out, "%-44s %5d\n", key, a.outcomes[key])
	}
	printf(out, "%-44s %5d\n", "commands that reached bloomreach", a.tracked)
	printf(out, "%-44s %5d\n", "  of them kept after its deduplication", a.kept)
	printf(out, "%-44s %5d\n", "texts that reached the sms gateway", a.texts)
	printf(out, "%-44s %5d\n", "records in dead letter topics", a.deadLetter)
	printf(out, "%-44s %5d\n", "answers of recharge's api (lookups)", a.lookups)
	printf(out, "%-44s %5d\n", "records of the transformer for itself", a.internal)
	printf(out, "%-44s %5d\n", "records in recharge.facts", a.facts)
	printf(out, "%-44s %5d\n", "changes of recharge.customers", a.customers)
	printf(out, "%-44s %5d\n", "changes of recharge.subscriptions", a.subscriptions)
	printf(out, "%-44s %5d\n", "changes of recharge.charges", a.charges)
}

// order returns a sort key: roles in the order of the pipeline.
func order(key string) string {
	role, _, _ := strings.Cut(key, " ")
	return fmt.Sprint(slices.Index(topology.Roles(), topology.Role(role))) + key
}

// total returns the sum of a role's outcomes.
func (a *account) total(prefix string) int {
	n := 0
	for key, count := range a.outcomes {
		if strings.HasPrefix(key+" ", prefix+" ") {
			n += count
		}
	}
	return n
}
