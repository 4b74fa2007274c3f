package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// inKafka is what the checks of Kafka found, for those that need it.
type inKafka struct {
	rows     []Row
	settings *settings.Rows[settings.Setting] // nil if they were not read
	because  string                           // why they were not
}

const (
	checkBrokers  = "brokers"
	checkTopics   = "topics"
	checkGroups   = "consumer groups"
	checkSettings = "settings"
)

// kafka makes the checks of brokers, topics, groups and settings.
func (i Installation) kafka(ctx context.Context) inKafka {
	brokers := within(ctx, i.brokers)
	found := inKafka{rows: []Row{brokers}}
	if brokers.Status == Failed {
		found.because = "the brokers are not reachable"
		found.rows = append(found.rows, notChecked(checkTopics, found.because), notChecked(checkGroups, found.because))
		return found
	}
	topics := within(ctx, i.topics)
	found.rows = append(found.rows, topics.rows...)
	if topics.because != "" {
		found.because = topics.because
		found.rows = append(found.rows, notChecked(checkGroups, topics.because))
		return found
	}
	found.rows = append(found.rows, within(ctx, i.groups)...)
	found.rows = append(found.rows, within(ctx, i.members)...)
	err := within(ctx, func(ctx context.Context) (err error) {
		found.settings, err = i.Settings.Read(ctx, i.Cluster)
		return err
	})
	switch {
	case err != nil:
		found.because = "the settings could not be read"
		found.rows = append(found.rows, Row{Check: checkSettings, Status: Failed, Found: err.Error()})
	case found.settings.Unreadable() != nil:
		found.rows = append(found.rows, Row{Check: checkSettings, Status: Failed, Found: found.settings.Unreadable().Error(), Cure: "rechargeflow flows list and sms status show what is in force; change it again"})
	}
	return found
}

// brokers checks that the brokers answer.
func (i Installation) brokers(ctx context.Context) Row {
	row := Row{Check: checkBrokers, Status: OK, Found: strings.Join(i.Cluster.Brokers, ", ")}
	if i.Embedded != "" {
		row.Status, row.Found = Warning, "embedded broker at "+i.Embedded+": a trial on one machine, without a copy of the records"
		row.Cure = "set kafka.brokers for production"
	}
	err := i.answer(ctx)
	if err == nil {
		return row
	}
	row.Status, row.Found, row.Cure = Failed, err.Error(), "check kafka.brokers, and that the brokers run"
	if i.Embedded != "" {
		row.Cure = "start rechargeflow run: kafka.brokers is empty, and the embedded broker at embedded.listen (" + i.Embedded + ") runs only while it runs"
	}
	return row
}

func (i Installation) answer(ctx context.Context) error {
	reader, err := admin.NewLagReader(i.Cluster, i.Now)
	if err != nil {
		return err
	}
	defer reader.Close()
	_, err = reader.ClusterID(ctx)
	return err
}

// topics compares the topics with what the roles need.
func (i Installation) topics(ctx context.Context) (found inKafka) {
	findings, needed, err := i.compare(ctx)
	if err != nil {
		found.because = "the topics could not be compared"
		found.rows = []Row{{Check: checkTopics, Status: Failed, Found: err.Error()}}
		return found
	}
	var missing []string
	for _, f := range findings {
		row := divided(f.Text, Warning)
		if slices.Contains(needed, f.Text) {
			row.Status, needed = Failed, without(needed, f.Text)
		}
		if f.Kind == admin.KindMissing {
			missing = append(missing, f.Topic)
			continue
		}
		found.rows = append(found.rows, row)
	}
	for _, text := range needed {
		found.rows = append(found.rows, divided(text, Failed))
	}
	if len(missing) > 0 {
		found.because = "topics are missing"
		found.rows = append([]Row{{Check: checkTopics, Status: Failed, Found: fmt.Sprintf("%d of %d are missing: %s", len(missing), len(i.Need.Topics), strings.Join(missing, ", ")), Cure: "rechargeflow topics apply"}}, found.rows...)
	}
	if len(found.rows) == 0 {
		found.rows = []Row{{Check: checkTopics, Status: OK, Found: fmt.Sprintf("%d, as needed", len(i.Need.Topics))}}
	}
	return found
}

// compare returns what is wrong with the topics, and which of these texts, or others, keep a process from starting.
func (i Installation) compare(ctx context.Context) (findings []admin.Finding, needed []string, err error) {
	if findings, err = admin.Inspect(ctx, i.Cluster, i.Need); err != nil {
		return nil, nil, err
	}
	err = admin.Check(ctx, i.Cluster, i.Need)
	var unmet *admin.CheckError
	if errors.As(err, &unmet) {
		return findings, append(slices.Clone(unmet.Permanent), unmet.Waiting...), nil
	}
	return findings, nil, err
}

func without(texts []string, text string) []string {
	return slices.DeleteFunc(texts, func(t string) bool { return t == text })
}

// divided returns the row of a finding, whose last part says what to do.
func divided(text string, status Status) Row {
	if at := strings.LastIndex(text, ": "); at > 0 {
		return Row{Check: checkTopics, Status: status, Found: text[:at], Cure: text[at+2:]}
	}
	return Row{Check: checkTopics, Status: status, Found: text}
}
