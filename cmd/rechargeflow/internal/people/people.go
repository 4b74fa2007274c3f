package people

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/console/access"
)

type commands struct{ *cli.CLI }

// Command returns the commands about the console.
func Command(c *cli.CLI) *cobra.Command {
	p := &commands{c}
	return cli.Group("console", "Say who may use the console",
		`Say who may use the console: people with a name, a role and a password are in the file console.people_file. docs/console-access.md explains
it, and how to let an OpenID Connect provider know the people instead. "rechargeflow run console" serves the console.`,
		p.password(), cli.Group("people", "Add and list the people of the console", "Add and list the people of the file console.people_file.", p.add(), p.list()))
}

func (c *commands) password() *cobra.Command {
	return &cobra.Command{
		Use:   "password",
		Short: "Print the hash of a password",
		Long: `Ask for a password and print its bcrypt hash, for "hash" of a person in console.people_file. Without a terminal the password is the first line of
the standard input. It is never an argument, because everybody on a machine can see those.`,
		Example: `  rechargeflow console password`,
		Args:    cli.NoArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			hash, err := hashOf(command)
			if err != nil {
				return err
			}
			cli.Printf(command.OutOrStdout(), "%s\n", hash)
			return nil
		},
	}
}

// file is where the people are.
type file struct {
	*cli.Settings

	path string
}

func (c *commands) addFile(command *cobra.Command) *file {
	f := &file{Settings: c.AddSettings(command)}
	command.Flags().StringVar(&f.path, "file", "", "the `file` of people, if it is another than console.people_file")
	_ = command.MarkFlagFilename("file", "yaml", "yml") // the flag was just added
	return f
}

// find returns the path of the file.
func (f *file) find() (string, error) {
	if f.path != "" {
		return f.path, nil
	}
	loaded, err := f.Load()
	if err != nil {
		return "", err
	}
	if loaded.Config.Console.PeopleFile == "" {
		return "", cli.Setting(errors.New("console.people_file is empty: set it, or name a file with --file"))
	}
	return loaded.Config.Console.PeopleFile, nil
}

func (c *commands) add() *cobra.Command {
	command := &cobra.Command{
		Use:   "add name",
		Short: "Add a person to the file of people",
		Long: `Ask for a password, and add a person to console.people_file, which is made if it does not exist. The rest of the file stays as it is. Processes that
run take it up within a second. To change a role or a password, edit the file; to remove somebody, remove their lines: their sessions end.`,
		Example: `  rechargeflow console people add ann --role operator
  rechargeflow console people add bob --role viewer --file people.yaml`,
		Args: cli.Counted(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := c.addFile(command)
	role := command.Flags().String("role", "", "the `role`: viewer, editor or operator")
	cli.Complete(command, "role", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"viewer", "editor", "operator"}, cobra.ShellCompDirectiveNoFileComp
	})
	command.RunE = func(command *cobra.Command, args []string) error {
		if err := access.CheckName(args[0]); err != nil {
			return cli.Usage(err)
		}
		if !access.Role(*role).IsValid() {
			return cli.Usage(fmt.Errorf("--role is %q, expected viewer, editor or operator", *role))
		}
		path, err := f.find()
		if err != nil {
			return err
		}
		hash, err := hashOf(command)
		if err != nil {
			return err
		}
		if err := access.AddPerson(path, args[0], access.Role(*role), hash); err != nil {
			return cli.Setting(err)
		}
		cli.Printf(command.OutOrStdout(), "%s is %s in %s\n", args[0], *role, path)
		return nil
	}
	return command
}

func (c *commands) list() *cobra.Command {
	command := &cobra.Command{
		Use:     "list",
		Short:   "Print the people and their roles",
		Long:    "Print the people of console.people_file and their roles, or the faults of the file, each with its line.",
		Example: `  rechargeflow console people list`,
		Args:    cli.NoArguments,
	}
	f := c.addFile(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		path, err := f.find()
		if err != nil {
			return err
		}
		people, err := access.ReadPeople(path)
		if err != nil {
			return cli.Setting(err)
		}
		table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
		cli.Printf(table, "NAME\tROLE\n")
		for _, each := range people {
			cli.Printf(table, "%s\t%s\n", each.Name, each.Role)
		}
		return table.Flush()
	}
	return command
}

// hashOf asks for a password, and returns its hash.
func hashOf(command *cobra.Command) (string, error) {
	password, err := ask(command.InOrStdin(), command.ErrOrStderr())
	if err != nil {
		return "", err
	}
	hash, err := access.HashPassword(strings.TrimRight(password, "\r\n"))
	if err != nil {
		return "", cli.Usage(err)
	}
	return hash, nil
}
