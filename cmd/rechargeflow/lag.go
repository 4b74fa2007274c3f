package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// lagRow is one partition in the output of `lag -json`.
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

// lag prints how far every group of the configuration is behind, and fails when one is further behind than it may be.
func lag(ctx context.Context, c call) int {
	o := newConfigOptions(c)
	asJSON := o.set.Bool("json", false, "print JSON, one array of partitions")
	limits := newLagLimits(o.set)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	loaded, ok := o.load(c)
	if !ok {
		return exitUsage
	}
	lags, err := readLags(ctx, loaded.Config)
	if err == nil {
		err = printLags(c.stdout, lags, *asJSON)
	}
	if err != nil {
		return failed(c, loaded.Config, err)
	}
	if len(loaded.Config.Stores) == 0 {
		topics := pipeline.Topics{Prefix: loaded.Config.Kafka.TopicPrefix}
		say(c.stderr, "rechargeflow lag: no store is configured, so only the transformer's group is asked about, not those of sinks, which have "+
			"a store's name in theirs (%s, %s): name a file that lists the stores with -config or %s\n",
			topics.Group(pipeline.RoleTracking, "{store}"), topics.Group(pipeline.RoleSMS, "{store}"), configVariable)
	}
	if err := limits.check(lags); err != nil {
		say(c.stderr, "rechargeflow lag: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// groupsOf are the groups that processes with this configuration read with, and their topics.
func groupsOf(cfg config.Config) (groups []string, reads map[string][]string) {
	topics := pipeline.Topics{Prefix: cfg.Kafka.TopicPrefix}
	reads = map[string][]string{}
	add := func(role pipeline.Role, store string) {
		group := topics.Group(role, store)
		groups, reads[group] = append(groups, group), topics.Reads(role)
	}
	add(pipeline.RoleTransformer, "")
	for _, store := range cfg.Stores {
		if store.Bloomreach.Enabled {
			add(pipeline.RoleTracking, store.Name)
		}
	}
	for _, store := range cfg.Stores {
		if store.SMS.Driver != config.SMSNone {
			add(pipeline.RoleSMS, store.Name)
		}
	}
	return groups, reads
}

func readLags(ctx context.Context, cfg config.Config) ([]kafka.Lag, error) {
	cluster, err := askedCluster(cfg)
	if err != nil {
		return nil, err
	}
	reader, err := kafka.NewLagReader(cluster, time.Now)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var readings []kafka.Reading
	groups, reads := groupsOf(cfg)
	for _, group := range groups {
		partitions, err := reader.Partitions(ctx, reads[group]...)
		if err != nil {
			return nil, err
		}
		readings = append(readings, kafka.Reading{Group: group, Partitions: partitions})
	}
	lags, err := reader.Read(ctx, readings...)
	if err != nil {
		return nil, err
	}
	return lags, reader.Members(ctx, lags)
}

func printLags(out io.Writer, lags []kafka.Lag, asJSON bool) error {
	if asJSON {
		rows := make([]lagRow, 0, len(lags))
		for _, l := range lags {
			rows = append(rows, lagRow{l.Group, l.Topic, l.Partition, l.Committed, l.First, l.End, l.Records, seconds(l), l.Member, l.Host})
		}
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say(table, "GROUP\tTOPIC\tPARTITION\tCOMMITTED\tEND\tLAG\tSECONDS\tHOST\tMEMBER\n")
	for _, l := range lags {
		committed, member, host := strconv.FormatInt(l.Committed, 10), l.Member, l.Host
		if l.Committed == kafka.NeverCommitted {
			committed = "never"
		}
		if member == "" {
			member, host = "nobody", "-"
		}
		say(table, "%s\t%s\t%d\t%s\t%d\t%d\t%.1f\t%s\t%s\n", l.Group, l.Topic, l.Partition, committed, l.End, l.Records, seconds(l), plain(host), plain(member))
	}
	return table.Flush()
}

// seconds is a lag's age with three digits behind the point.
func seconds(l kafka.Lag) float64 { return math.Round(l.Age.Seconds()*1000) / 1000 }

// lagLimits are how far a group may be behind in one partition; below 0 is no limit.
type lagLimits struct {
	records *int64
	seconds *float64
}

func newLagLimits(set *flag.FlagSet) lagLimits {
	return lagLimits{
		records: set.Int64("max-records", -1, "fail when a partition has more uncommitted `records`"),
		seconds: set.Float64("max-seconds", -1, "fail when an uncommitted record is older than these `seconds`"),
	}
}

// check names each partition that is beyond a limit.
func (l lagLimits) check(lags []kafka.Lag) error {
	var beyond []error
	for _, lag := range lags {
		where := fmt.Sprintf("group %s, partition %d of %s", lag.Group, lag.Partition, lag.Topic)
		if *l.records >= 0 && lag.Records > *l.records {
			beyond = append(beyond, fmt.Errorf("%s: %d records behind, more than %d", where, lag.Records, *l.records))
		}
		if *l.seconds >= 0 && lag.Age.Seconds() > *l.seconds {
			beyond = append(beyond, fmt.Errorf("%s: %.1f s behind, more than %v", where, lag.Age.Seconds(), *l.seconds))
		}
	}
	return errors.Join(beyond...)
}
