package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

// lagPrinter returns how lags are printed: as JSON, as a table of partitions, or as a table of groups and topics.
func lagPrinter(asJSON, partitions bool) func(io.Writer, []admin.Lag) error {
	switch {
	case asJSON:
		return printLagJSON
	case partitions:
		return printLagPartitions
	}
	return printLagTopics
}

// lagRow is one partition in the output of `lag --json`.
type lagRow struct {
	Group     string  `json:"group"`
	Topic     string  `json:"topic"`
	Partition int     `json:"partition"`
	Committed int64   `json:"committed"` // -1: never
	First     int64   `json:"first"`
	End       int64   `json:"end"`
	Records   int64   `json:"lag"`
	Seconds   float64 `json:"lag_seconds"`
	Member    string  `json:"member,omitempty"`
	Host      string  `json:"host,omitempty"`
}

func printLagJSON(out io.Writer, lags []admin.Lag) error {
	rows := make([]lagRow, 0, len(lags))
	for _, l := range lags {
		rows = append(rows, lagRow{l.Group, l.Topic, l.Partition, l.Committed, l.First, l.End, l.Records, seconds(l.Age), l.Member, l.Host})
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

func printLagPartitions(out io.Writer, lags []admin.Lag) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "GROUP\tTOPIC\tPARTITION\tCOMMITTED\tEND\tLAG\tSECONDS\tHOST\tMEMBER\n")
	for _, l := range lags {
		committed, member, host := strconv.FormatInt(l.Committed, 10), l.Member, l.Host
		if l.Committed == admin.NeverCommitted {
			committed = "never"
		}
		if member == "" {
			member, host = "nobody", "-"
		}
		cli.Printf(table, "%s\t%s\t%d\t%s\t%d\t%d\t%.1f\t%s\t%s\n", l.Group, l.Topic, l.Partition, committed, l.End, l.Records, seconds(l.Age), cli.Printable(host), cli.Printable(member))
	}
	return table.Flush()
}

// topicLag is the lag of a group in all partitions of a topic.
type topicLag struct {
	group, topic        string
	partitions, unowned int
	records             int64
	worst               admin.Lag // of the partition with the oldest uncommitted record
	members             map[string]bool
}

func printLagTopics(out io.Writer, lags []admin.Lag) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "GROUP\tTOPIC\tPARTITIONS\tLAG\tSECONDS\tWORST\tMEMBERS\n")
	for _, t := range byTopic(lags) {
		cli.Printf(table, "%s\t%s\t%d\t%d\t%.1f\t%s\t%s\n", t.group, t.topic, t.partitions, t.records, seconds(t.worst.Age), t.worstPartition(), t.consumers())
	}
	return table.Flush()
}

// byTopic sums up the partitions of each group and topic, in the order of lags.
func byTopic(lags []admin.Lag) (topics []*topicLag) {
	for _, l := range lags {
		last := len(topics) - 1
		if last < 0 || topics[last].group != l.Group || topics[last].topic != l.Topic {
			topics = append(topics, &topicLag{group: l.Group, topic: l.Topic, members: map[string]bool{}})
			last++
		}
		t := topics[last]
		t.partitions++
		t.records += l.Records
		if l.Age > t.worst.Age || l.Age == t.worst.Age && l.Records > t.worst.Records {
			t.worst = l
		}
		if l.Member == "" {
			t.unowned++
		} else {
			t.members[l.Member] = true
		}
	}
	return topics
}

// worstPartition names the partition that is furthest behind, "-" for none.
func (t *topicLag) worstPartition() string {
	if t.worst.Records == 0 {
		return "-"
	}
	return strconv.Itoa(t.worst.Partition)
}

// consumers describes how many members consume the topic.
func (t *topicLag) consumers() string {
	switch {
	case len(t.members) == 0:
		return "none"
	case t.unowned > 0:
		return fmt.Sprintf("%d, partitions without a member: %d", len(t.members), t.unowned)
	}
	return strconv.Itoa(len(t.members))
}

// seconds returns the age of a lag in seconds, rounded to milliseconds.
func seconds(age time.Duration) float64 { return math.Round(age.Seconds()*1000) / 1000 }
