package diagnosis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// flags are the flags of a call.
type flags struct {
	store, email string
	json, send   bool
}

// Command returns rechargeflow doctor.
func Command(c *cli.CLI) *cobra.Command {
	command := &cobra.Command{
		Use:   "doctor [role...]",
		Short: "Check everything, and print what to do about it",
		Long: `Check the configuration, brokers, topics and consumer groups, whether processes run with another version or configuration, and for each
store the API token, webhooks and clock at Recharge, the credentials at Bloomreach, the import, how texts are sent, and where short links lead. A line for each check says what was found and, below it, what to do.
Nothing is changed. The command fails if a check has failed; warnings do not count.

With roles, only what these roles use is needed on this machine. --send also sends one of each event to a test customer in Bloomreach, marked as a
sample. Use a profile that no campaign reaches: scenarios are triggered by samples, too.`,
		Example: `  rechargeflow doctor
  rechargeflow doctor --store acme --send --email test@example.com
  rechargeflow doctor --json`,
		ValidArgsFunction: cli.CompleteRoles(topology.Roles()),
	}
	s := c.AddSettings(command)
	var f flags
	command.Flags().StringVar(&f.store, "store", "", "check only this `store`")
	command.Flags().BoolVar(&f.json, "json", false, "print JSON, one array of checks")
	command.Flags().BoolVar(&f.send, "send", false, "also send samples to Bloomreach")
	command.Flags().StringVar(&f.email, "email", "", "`e-mail` of the test customer who gets the samples")
	cli.Complete(command, "store", cli.CompleteStores(s))
	command.RunE = func(command *cobra.Command, args []string) error {
		if f.send != strings.Contains(f.email, "@") {
			return cli.Usage(errors.New("--send needs --email, and --email needs --send: the e-mail of a test customer"))
		}
		roles, err := rolesOf(args)
		if err != nil {
			return cli.Usage(err)
		}
		loaded, fault := s.Load(names(roles)...)
		if f.store != "" && fault == nil {
			if _, err := cli.PickStore(loaded.Config.Stores, f.store); err != nil {
				return cli.Usage(err)
			}
		}
		rows := doctor.Run(command.Context(), app.Checkup(loaded, fault, app.CheckupOptions{Roles: roles, Store: f.store, SampleEmail: f.email, Version: c.Version, Now: time.Now}))
		if err := f.print(command, rows, cli.Variable(c.Environ, "NO_COLOR") != ""); err != nil {
			return err
		}
		if doctor.AnyFailed(rows) {
			return cli.ErrReported
		}
		return nil
	}
	return command
}

// rolesOf returns the named roles, all if none is named.
func rolesOf(args []string) (roles []topology.Role, err error) {
	for _, name := range args {
		if !slices.Contains(config.Roles(), name) {
			return nil, fmt.Errorf("there is no role %q; roles are %s", name, app.JoinRoles(topology.Roles()))
		}
		roles = append(roles, topology.Role(name))
	}
	if len(roles) == 0 {
		roles = topology.Roles()
	}
	return roles, nil
}

func names(roles []topology.Role) (names []string) {
	for _, role := range roles {
		names = append(names, string(role))
	}
	return names
}
