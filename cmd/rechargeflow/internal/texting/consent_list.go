package texting

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
)

func (c *commands) consentImport() *cobra.Command {
	command := &cobra.Command{
		Use:   "import file",
		Short: "Record the numbers of a CSV file",
		Long: `Record the numbers of a CSV file, or of standard input for "-". The first line names the columns:

  number   with its country code, such as +14155552671
  status   opted_in or opted_out
  at       when it was decided: 2026-03-01T10:00:00Z, or 2026-03-01
  source   optional: where it comes from

Other columns are ignored. A file with a fault is not imported at all. The same file can be imported again: what is known already
is not recorded twice. A line that is older than what is known about its number is recorded and changes nothing.`,
		Example: `  rechargeflow consent import --store acme subscribers.csv`,
		Args:    cli.Counted(cobra.ExactArgs(1)),
	}
	t := c.addConsent(command)
	dry := command.Flags().Bool("dry-run", false, "check the file and count; record nothing")
	command.RunE = func(command *cobra.Command, args []string) error {
		if err := t.open(); err != nil {
			return err
		}
		changes, err := readList(args[0], command.InOrStdin(), t.store)
		if err != nil {
			return err
		}
		rows, err := t.rows(command.Context())
		if err != nil {
			return err
		}
		out := command.OutOrStdout()
		fresh, effective := news(rows, changes)
		cli.Printf(out, "lines: %d\nnew: %d, known already: %d\n", len(changes), len(fresh), len(changes)-len(fresh))
		cli.Printf(out, "numbers whose status changes: %d\n", effective)
		if *dry {
			cli.Printf(out, "nothing was recorded: this was a dry run\n")
			return nil
		}
		written, err := t.write(command.Context(), fresh)
		cli.Printf(out, "recorded: %d\n", written)
		if err != nil {
			return fmt.Errorf("%w\nimport the same file again: what was recorded is not recorded twice", err)
		}
		return nil
	}
	return command
}

// readList reads the changes of a CSV file.
func readList(path string, stdin io.Reader, store string) ([]consent.Change, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, cli.Setting(fmt.Errorf("open list: %w", err))
		}
		defer func() { _ = file.Close() }() // it is only read
		in = file
	}
	changes, err := consent.ReadCSV(in, store, time.Now())
	if err != nil {
		var lines []string
		for line := range strings.SplitSeq(err.Error(), "\n") {
			lines = append(lines, path+": "+line)
		}
		return nil, cli.Faults(errors.New(strings.Join(lines, "\n")), "nothing was recorded")
	}
	return changes, nil
}

// news returns the changes that no row has, each once, and how many numbers they give another status.
func news(rows *consent.Rows, changes []consent.Change) (fresh []consent.Change, effective int) {
	newest := map[string]consent.Change{} // of the changes, by the beginning of their keys
	seen := map[string]bool{}
	for _, change := range changes {
		key, prefix := change.Key(), consent.Prefix(change.Store, change.Number)
		if _, known := rows.Get(key); !known && !seen[key] {
			seen[key] = true
			fresh = append(fresh, change)
		}
		if last, found := newest[prefix]; !found || last.Key() < key {
			newest[prefix] = change
		}
	}
	for _, change := range newest {
		history := consent.History(rows, change.Store, change.Number)
		if len(history) == 0 || history[0].Status != change.Status && history[0].Key() < change.Key() {
			effective++
		}
	}
	return fresh, effective
}

func (c *commands) consentExport() *cobra.Command {
	command := &cobra.Command{
		Use:   "export",
		Short: "Print the numbers of a store as CSV",
		Long: `Print the number, status, time and source of each number, as CSV that consent import reads. The numbers are masked: with
--reveal they are complete, for a backup or another platform.`,
		Example: `  rechargeflow consent export --store acme --reveal --status opted_out > opted-out.csv`,
		Args:    cli.NoArguments,
	}
	t := c.addConsent(command)
	reveal := command.Flags().Bool("reveal", false, "print complete numbers")
	status := command.Flags().String("status", "", "only numbers of this `status`: opted_in or opted_out")
	cli.Complete(command, "status", cobra.FixedCompletions([]string{string(consent.OptedIn), string(consent.OptedOut)}, cobra.ShellCompDirectiveNoFileComp))
	command.RunE = func(command *cobra.Command, _ []string) error {
		only := consent.Status(*status)
		if only != "" && only != consent.OptedIn && only != consent.OptedOut {
			return cli.Usage(fmt.Errorf("--status is %q, expected %s or %s", only, consent.OptedIn, consent.OptedOut))
		}
		if err := t.open(); err != nil {
			return err
		}
		rows, err := t.rows(command.Context())
		if err != nil {
			return err
		}
		list := slices.DeleteFunc(consent.Newest(rows.Prefix(t.store+"/")), func(change consent.Change) bool { return only != "" && change.Status != only })
		slices.SortFunc(list, func(a, b consent.Change) int { return strings.Compare(a.Number, b.Number) })
		if err := consent.WriteCSV(command.OutOrStdout(), list, *reveal); err != nil {
			return err
		}
		cli.Printf(command.ErrOrStderr(), "numbers: %d%s\n", len(list), masked(*reveal))
		return nil
	}
	return command
}

func masked(reveal bool) string {
	if reveal {
		return ""
	}
	return ", masked: with --reveal they are complete, so that they can be imported"
}
