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

// lagPrinter returns how lags are printed: as JSON, as a table of partitions, or as a table of groups.
func lagPrinter(asJSON, partitions bool) func(io.Writer, []admin.Lag) error {
	switch {
	case asJSON:
		return printLagJSON
	case partitions:
		return printLagPartitions
	}
	return printLagGroups
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

func printLagGroups(out io.Writer, lags []admin.Lag) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "GROUP\tLAG\tSECONDS\tWORST\tMEMBERS\n")
	for _, g := range admin.ByGroup(lags) {
		cli.Printf(table, "%s\t%d\t%.1f\t%s\t%s\n", g.Group, g.Records, seconds(g.Worst.Age), worst(g), members(g))
	}
	return table.Flush()
}

// worst names the partition that is furthest behind, "-" for none.
func worst(g admin.GroupLag) string {
	if g.Worst.Records == 0 {
		return "-"
	}
	return fmt.Sprintf("%s/%d", g.Worst.Topic, g.Worst.Partition)
}

// members describes how many members consume the group's partitions.
func members(g admin.GroupLag) string {
	switch {
	case len(g.Members) == 0:
		return "none"
	case g.Unowned > 0:
		return fmt.Sprintf("%d, partitions without a member: %d", len(g.Members), g.Unowned)
	}
	return strconv.Itoa(len(g.Members))
}

// seconds returns the age of a lag in seconds, rounded to milliseconds.
func seconds(age time.Duration) float64 { return math.Round(age.Seconds()*1000) / 1000 }
