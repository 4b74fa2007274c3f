package texting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

func (c *commands) flowsCommand() *cobra.Command {
	return cli.Group("flows", "Show and change the text message flows",
		`Show and change the text message flows of a store: their texts, and which are active. They are in the topic
recharge.settings. Running processes take up a change within 2 seconds.`,
		c.flowsList(), c.flowsShow(), c.flowsEdit(), c.flowsActivate(true), c.flowsActivate(false), c.flowsHistory(), c.flowsDiff(),
		c.flowsPreview(), c.flowsStats(), c.flowsBacktest(), c.flowsApply(), c.flowsExport(), flowsDocs())
}

// flowCommand is the flags that all commands about flows have.
type flowCommand struct {
	*cli.Settings

	storeName string
}

// addFlows gives a command --config and --store.
func (c *commands) addFlows(command *cobra.Command) *flowCommand {
	f := &flowCommand{Settings: c.AddSettings(command)}
	command.Flags().StringVar(&f.storeName, "store", "", "the `store`; not needed if only one is configured")
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	return f
}

// addBy gives a command --by, which defaults to the user of the shell.
func (c *commands) addBy(command *cobra.Command) *string {
	user := cmp.Or(cli.Variable(c.Environ, "USER"), "unknown")
	return command.Flags().String("by", user, "`who` changes it, for the history")
}

// shop is a store of the configuration, and where its flows are.
type shop struct {
	config.Store

	cfg      config.Config
	cluster  kafka.Cluster
	settings live.Settings
}

// open reads the configuration and selects the store.
func (f *flowCommand) open() (shop, error) {
	stores, err := f.openAll()
	if err != nil {
		return shop{}, err
	}
	if len(stores) != 1 {
		return shop{}, cli.Usage(fmt.Errorf("several stores are configured: name one with --store (%s)", strings.Join(namesOf(stores), ", ")))
	}
	return stores[0], nil
}

// openAll is open for all stores, if none is named.
func (f *flowCommand) openAll() ([]shop, error) {
	loaded, err := f.Load()
	if err != nil {
		return nil, err
	}
	cluster, err := cli.ClusterOf(loaded.Config)
	if err != nil {
		return nil, err
	}
	var all, named []shop
	for _, store := range loaded.Config.Stores {
		s := shop{Store: store, cfg: loaded.Config, cluster: cluster, settings: app.Settings(loaded.Config.Kafka)}
		all = append(all, s)
		if f.storeName == "" || f.storeName == store.Name {
			named = append(named, s)
		}
	}
	switch {
	case len(all) == 0:
		return nil, cli.Setting(errors.New("no store is configured: name a file that lists the stores with --config or " + cli.ConfigVariable))
	case len(named) == 0:
		return nil, cli.Usage(fmt.Errorf("store %q is not configured; stores are %s", f.storeName, strings.Join(namesOf(all), ", ")))
	}
	return named, nil
}

// openRows is open, and reads the settings.
func (f *flowCommand) openRows(command *cobra.Command) (s shop, rows *live.Rows[live.Setting], err error) {
	if s, err = f.open(); err == nil {
		rows, err = s.rows(command.Context(), command.ErrOrStderr())
	}
	return s, rows, err
}

// openAllRows is openAll, and reads the settings.
func (f *flowCommand) openAllRows(command *cobra.Command) (stores []shop, rows *live.Rows[live.Setting], err error) {
	if stores, err = f.openAll(); err == nil {
		rows, err = stores[0].rows(command.Context(), command.ErrOrStderr())
	}
	return stores, rows, err
}

func namesOf(stores []shop) (names []string) {
	for _, s := range stores {
		names = append(names, s.Name)
	}
	return names
}

// rows reads the settings. Rows that can't be read are reported on the error stream.
func (s shop) rows(ctx context.Context, stderr io.Writer) (*live.Rows[live.Setting], error) {
	rows, err := s.settings.Read(ctx, s.cluster)
	if err != nil {
		return nil, cli.Explained(s.cfg, err)
	}
	if err := rows.Unreadable(); err != nil {
		cli.Printf(stderr, "warning: %v\n", err)
	}
	return rows, nil
}

// flow returns a flow as it is set now.
func (s shop) flow(ctx context.Context, key flow.Key, stderr io.Writer) (live.Flow, error) {
	rows, err := s.rows(ctx, stderr)
	if err != nil {
		return live.Flow{}, err
	}
	flows, err := live.FlowsOf(rows, s.Name)
	if err != nil {
		return live.Flow{}, err
	}
	return flows[flowedit.IndexOf(flows, key)], nil
}

// change changes flows of the store, if they are valid afterwards. It prints a line for each flow that was changed, and warnings.
func (s shop) change(command *cobra.Command, by string, decide func([]live.Flow) error) error {
	change := live.FlowChange{Store: s.Name, By: by, At: time.Now(), Decide: s.valid(decide)}
	changed, err := s.settings.ChangeFlows(command.Context(), s.cluster, change)
	if err != nil {
		return cli.Explained(s.cfg, err)
	}
	s.warn(command.ErrOrStderr(), changed)
	for _, f := range changed {
		cli.Printf(command.OutOrStdout(), "%s of store %s is at version %d\n", f.Key, f.Store, f.Version)
	}
	if len(changed) == 0 {
		cli.Printf(command.OutOrStdout(), "nothing changed\n")
	}
	return nil
}

// valid adds to decide that the flows that it changes must have no fault.
func (s shop) valid(decide func([]live.Flow) error) func([]live.Flow) error {
	valid := app.EditorOf(s.Store).Valid(decide)
	return func(flows []live.Flow) error {
		err := valid(flows)
		var faults *flowedit.FaultsError
		if errors.As(err, &faults) {
			return cli.Faults(err, "faults in the flows, nothing was changed")
		}
		return err
	}
}

// warn prints what is probably not intended in the texts of flows.
func (s shop) warn(stderr io.Writer, flows []live.Flow) {
	for _, fault := range flowedit.Warnings(flows...) {
		cli.Printf(stderr, "warning: %v\n", fault)
	}
}

// onlyFlows refuses arguments that are not flows, and another number of arguments.
func onlyFlows(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for _, name := range args[:min(most, len(args))] {
			if !slices.Contains(flow.Keys(), flow.Key(name)) {
				return cli.Usage(fmt.Errorf("there is no flow %q; flows are %s", name, strings.Join(flowNames(), ", ")))
			}
		}
		switch {
		case len(args) < least:
			return cli.Usage(fmt.Errorf("name a flow: %s", strings.Join(flowNames(), ", ")))
		case len(args) > most:
			return cli.Usage(fmt.Errorf("unexpected argument %q", args[most]))
		}
		return nil
	}
}

func flowNames() (names []string) {
	for _, key := range flow.Keys() {
		names = append(names, string(key))
	}
	return names
}

// completeFlows completes the keys of flows.
func completeFlows() cobra.CompletionFunc {
	var names []cobra.Completion
	names = append(names, flowNames()...)
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}
