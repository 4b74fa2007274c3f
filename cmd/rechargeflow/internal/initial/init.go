package initial

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
)

// defaultFile is what other commands read without --config.
const defaultFile = "rechargeflow.yaml"

// flags are the flags of a call, without those of the keys.
type flags struct {
	file          string
	force, stdout bool
}

// Command returns rechargeflow init.
func Command() *cobra.Command {
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration file",
		Long: `Write a configuration file for one store. On a terminal the command asks for what is not given as a flag; otherwise flags are needed for
what has no default. It prints which secrets to set, in which environment variables, and the next commands. The file has no secret.`,
		Example: `  rechargeflow init
  rechargeflow init --store acme --bloomreach-url https://api.exponea.com --recharge-webhook-url https://hooks.example.com`,
		Args: cli.NoArguments,
	}
	var f flags
	command.Flags().StringVar(&f.file, "file", defaultFile, "`file` to write")
	command.Flags().BoolVar(&f.force, "force", false, "overwrite the file if it exists")
	command.Flags().BoolVar(&f.stdout, "stdout", false, "print the configuration and write no file")
	addFlags(command.Flags())
	command.RunE = func(command *cobra.Command, _ []string) error { return f.run(command) }
	return command
}

func (f flags) run(command *cobra.Command) error {
	if err := f.exists(); err != nil {
		return err
	}
	a, err := collect(command)
	if err != nil {
		return err
	}
	content, err := a.file()
	if err != nil {
		return err
	}
	needed, err := secrets(content, a[ofName])
	if err != nil {
		return cli.Faults(err, "nothing was written")
	}
	if f.stdout {
		cli.Printf(command.OutOrStdout(), "%s", content)
		f.next(command.ErrOrStderr(), a, needed)
		return nil
	}
	if err := f.write(content); err != nil {
		return err
	}
	cli.Printf(command.OutOrStdout(), "%s is written\n\n", f.file)
	f.next(command.OutOrStdout(), a, needed)
	return nil
}

// collect returns the values, from flags and, on a terminal, from answers.
func collect(command *cobra.Command) (answers, error) {
	a, err := given(command.Flags())
	if err != nil {
		return nil, cli.Usage(err)
	}
	if in, isFile := command.InOrStdin().(*os.File); isFile && isatty.IsTerminal(in.Fd()) {
		if err := a.ask(command.Context(), in, command.ErrOrStderr()); err != nil {
			return nil, err
		}
	}
	if err := a.fill(); err != nil {
		return nil, cli.Usage(err)
	}
	if unused := a.ignored(); len(unused) > 0 {
		return nil, cli.Usage(errors.New(strings.Join(unused, ", ")))
	}
	return a, nil
}

// exists refuses to overwrite a file, before anything is asked.
func (f flags) exists() error {
	if f.stdout || f.force {
		return nil
	}
	if _, err := os.Lstat(f.file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return cli.Usage(fmt.Errorf("%s exists: --force overwrites it, --file writes another one, --stdout prints", f.file))
}

func (f flags) write(content string) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if f.force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(f.file, mode, 0o644)
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// next prints which secrets to set, and the commands that follow.
func (f flags) next(out io.Writer, a answers, needed []secret) {
	cli.Printf(out, "Set in the environment:\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range needed {
		orFile := ""
		if s.inFile {
			orFile = " or ..._FILE"
		}
		sentence, _, _ := strings.Cut(s.doc, ". ")
		cli.Printf(table, "  %s%s\t%s\n", s.name, orFile, strings.TrimSuffix(sentence, "."))
	}
	_ = table.Flush() // as with cli.Printf, nobody reads the stream then
	cli.Printf(out, "A variable with _FILE at its end names a file with the secret.\n\nThen:\n")
	commands := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range a.commands() {
		if f.file != defaultFile && !f.stdout {
			line[0] += " --config " + f.file
		}
		cli.Printf(commands, "  rechargeflow %s\t%s\n", line[0], line[1])
	}
	_ = commands.Flush()
}

// commands returns the next commands, and what each does.
func (a answers) commands() [][2]string {
	store := " --store " + a[ofName]
	setup := "setup" + store
	if a[inStore+"recharge.webhook_url"] == "" {
		setup += " --url https://hooks.example.com"
	}
	all := [][2]string{{"config check", "reports all errors of the configuration"}}
	if a["kafka.brokers"] != "" {
		all = append(all, [2]string{"topics apply", "creates the topics"})
	}
	return append(all,
		[2]string{setup, "registers the webhooks at Recharge"},
		[2]string{"run", "receives webhooks and sends events, until it is stopped"},
		[2]string{"import" + store, "reads the customers who subscribed before"},
		[2]string{"doctor", "checks everything, and says what to do"},
	)
}
