package segments

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
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

// shop is a store of the configuration, and what can be done with its segments.
type shop struct {
	*service.Service

	name  string
	sends bool // events, to where segments are pushed
	cfg   config.Config
}

// open reads the configuration, for a process with roles or none, and selects the store.
func (f *storeFlags) open(command *cobra.Command, roles ...string) (shop, error) {
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
	if err != nil {
		return shop{}, err
	}
	known, err := app.ServiceOf(loaded.Config, cluster, zap.NewNop(), time.Now)
	if err != nil {
		return shop{}, cli.Setting(err)
	}
	known.Unreadable = func(err error) { cli.Printf(command.ErrOrStderr(), "warning: %v\n", err) }
	return shop{Service: service.New(known), name: store.Name, sends: app.SendsEvents(store), cfg: loaded.Config}, nil
}

// explained marks an error as wrong usage, or adds which broker was used.
func (s shop) explained(err error) error {
	var invalid *service.InvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return cli.Usage(err)
	case errors.Is(err, service.ErrNotFound), errors.Is(err, service.ErrForbidden), errors.Is(err, service.ErrConflict):
		return cli.Usage(service.Plain(err))
	}
	return cli.Explained(s.cfg, service.Plain(err))
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
