package segments

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

type commands struct{ *cli.CLI }

// Command returns the commands about segments.
func Command(c *cli.CLI) *cobra.Command {
	s := &commands{c}
	return cli.Group("segments", "Select customers by the texts they received and the links they clicked",
		`Select customers of a store by the texts that they have received or not, and the links that they have clicked or not; print and export
them; and push a property per segment to Bloomreach, so that campaigns can target them. Segments are in the topic recharge.settings.
docs/segments.md explains them.

A segment is conditions, joined by "and" or "or":
  [not] received FLOW [in Nd]     the provider has a text of the flow
  [not] clicked FLOW [in Nd]      a person clicked a link in a text of the flow
FLOW is a flow such as charge_failed, or any. in Nd: in the last N days, of the 400 that are kept. Both "and" and "or" need parentheses.`,
		s.create(), s.list(), s.remove(), s.count(), s.members(), s.export(), s.push())
}

// storeFlags are the flags that all commands have.
type storeFlags struct {
	*cli.Settings

	storeName string
}

func (c *commands) addStore(command *cobra.Command) *storeFlags {
	f := &storeFlags{Settings: c.AddSettings(command)}
	command.Flags().StringVar(&f.storeName, "store", "", "the `store`; not needed if only one is configured")
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	return f
}

// shop is a store of the configuration, and its topics.
type shop struct {
	config.Store
	membership.Source

	cfg      config.Config
	settings live.Settings
}

// open reads the configuration, for a process with roles or none, and selects the store.
func (f *storeFlags) open(roles ...string) (shop, error) {
	loaded, err := f.Load(roles...)
	if err != nil {
		return shop{}, err
	}
	if len(loaded.Config.Stores) == 0 {
		return shop{}, cli.Setting(errors.New("no store is configured: name a file that lists the stores with --config or " + cli.ConfigVariable))
	}
	store, err := cli.PickStore(loaded.Config.Stores, f.storeName)
	if err != nil {
		return shop{}, cli.Usage(err)
	}
	cluster, err := cli.ClusterOf(loaded.Config)
	topics := topology.Topics{Prefix: loaded.Config.Kafka.TopicPrefix}
	return shop{
		Store: store, Source: membership.Source{Cluster: cluster, Topics: topics, Store: store.Name}, cfg: loaded.Config,
		settings: app.Settings(loaded.Config.Kafka),
	}, err
}

// defined reads the segments of the store.
func (s shop) defined(command *cobra.Command) ([]live.Segment, error) {
	rows, err := s.rows(command)
	if err != nil {
		return nil, err
	}
	return live.SegmentsOf(rows, s.Name), nil
}

// rows reads the settings. Rows that can't be read are reported on the error stream.
func (s shop) rows(command *cobra.Command) (*live.Rows[live.Setting], error) {
	rows, err := s.settings.Read(command.Context(), s.Cluster)
	if err != nil {
		return nil, cli.Explained(s.cfg, err)
	}
	if err := rows.Unreadable(); err != nil {
		cli.Printf(command.ErrOrStderr(), "warning: %v\n", err)
	}
	return rows, nil
}

// find returns the segment that an argument names or, if it has blanks, is.
func (s shop) find(command *cobra.Command, arg string) (live.Segment, error) {
	if strings.Contains(strings.TrimSpace(arg), " ") {
		rule, err := segment.Parse(arg)
		if err != nil {
			return live.Segment{}, cli.Usage(err)
		}
		return live.Segment{Store: s.Name, Name: rule.String(), Rule: rule}, nil
	}
	all, err := s.defined(command)
	if err != nil {
		return live.Segment{}, err
	}
	var names []string
	for _, each := range all {
		if each.Name == arg {
			return each, nil
		}
		names = append(names, each.Name)
	}
	if len(names) == 0 {
		return live.Segment{}, cli.Usage(fmt.Errorf("store %s has no segments: make one with segments create", s.Name))
	}
	return live.Segment{}, cli.Usage(fmt.Errorf("store %s has no segment %q; segments are %s", s.Name, arg, strings.Join(names, ", ")))
}

// oneSegment refuses another number of arguments than one.
func oneSegment(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return cli.Usage(errors.New("name a segment, or give conditions such as '" + segment.Form + "'"))
	case 1:
		return nil
	}
	return cli.Usage(fmt.Errorf("unexpected argument %q: put conditions in quotes", args[1]))
}

// writer is the name of the transactional id that writes the members of a store.
func writer(s shop) string {
	return s.Topics.Prefix + "rechargeflow.segments." + s.Name
}

// newExclusive returns what writes recharge.segment-members.
func newExclusive(s shop) *kafka.Exclusive {
	return kafka.NewExclusive(s.Cluster, writer(s), s.Topics.SegmentMembers())
}
