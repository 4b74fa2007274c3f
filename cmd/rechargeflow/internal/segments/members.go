package segments

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// memberFlags are the flags of members and export.
type memberFlags struct {
	*storeFlags

	reveal bool
}

func (c *commands) addMembers(command *cobra.Command) *memberFlags {
	f := &memberFlags{storeFlags: c.addStore(command)}
	command.Flags().BoolVar(&f.reveal, "reveal", false, "print complete e-mails and phone numbers, which are masked otherwise")
	return f
}

func (c *commands) members() *cobra.Command {
	command := &cobra.Command{
		Use:   "members segment|conditions",
		Short: "Print the members of a segment",
		Long: `Print the Recharge customer ID of each member of a segment, or of conditions in quotes, with e-mail and phone number where
recharge.customers has them. They are masked, unless --reveal is given. The last line counts all members.`,
		Example: `  rechargeflow segments members at_risk --store acme --limit 20
  rechargeflow segments members 'clicked charge_failed in 7d' --reveal`,
		Args: oneSegment,
	}
	f := c.addMembers(command)
	limit := command.Flags().Int("limit", 200, "maximum number of `members` to print, 0 for all")
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open(command)
		if err != nil {
			return err
		}
		written, all := 0, 0
		err = s.EachMember(command.Context(), s.name, args[0], f.reveal, func(m service.Member) error {
			if all++; *limit > 0 && all > *limit {
				return nil
			}
			written++
			cli.Printf(command.OutOrStdout(), "%-14s  %-40s  %s\n", cli.Printable(m.ID), cli.Printable(m.Email), cli.Printable(m.Phone))
			return nil
		})
		if err != nil {
			return s.explained(err)
		}
		if written < all {
			cli.Printf(command.OutOrStdout(), "... and %d more: --limit 0 prints them\n", all-written)
		}
		cli.Printf(command.OutOrStdout(), "members: %d\n", all)
		return nil
	}
	return command
}

func (c *commands) export() *cobra.Command {
	command := &cobra.Command{
		Use:   "export segment|conditions",
		Short: "Write the members of a segment as CSV or JSON",
		Long: `Write the members of a segment, or of conditions in quotes, as CSV or JSON: Recharge customer ID, e-mail and phone number. E-mails and
numbers are masked, unless --reveal is given. A file is replaced when it is complete.`,
		Example: `  rechargeflow segments export at_risk --store acme --reveal -o at_risk.csv
  rechargeflow segments export 'not received any in 60d' --format json`,
		Args: oneSegment,
	}
	f := c.addMembers(command)
	format := command.Flags().String("format", "csv", "`csv` or json")
	file := command.Flags().StringP("output", "o", "", "`file` to write, in place of standard output")
	cli.Complete(command, "format", cobra.FixedCompletions([]string{"csv", "json"}, cobra.ShellCompDirectiveNoFileComp))
	command.RunE = func(command *cobra.Command, args []string) error {
		written, err := f.export(command, args[0], *format, *file)
		if err == nil {
			cli.Printf(command.ErrOrStderr(), "members: %d%s\n", written, masked(f.reveal))
		}
		return err
	}
	return command
}

func masked(reveal bool) string {
	if reveal {
		return ""
	}
	return ", masked: --reveal writes complete e-mails and numbers"
}

// export writes the members to a file, or to standard output.
func (f *memberFlags) export(command *cobra.Command, arg, format, path string) (written int, err error) {
	if format != "csv" && format != "json" {
		return 0, cli.Usage(fmt.Errorf("--format is %q, expected csv or json", format))
	}
	s, err := f.open(command)
	if err != nil {
		return 0, err
	}
	write := func(out io.Writer) (err error) {
		written, err = s.ExportSegment(command.Context(), s.name, arg, format, f.reveal, out)
		return s.explained(err)
	}
	if path == "" {
		err = write(command.OutOrStdout())
		return written, err
	}
	err = replace(path, write)
	return written, err
}

// replace writes a file that only its owner may read, and puts it in the place of an earlier one when it is complete.
func replace(path string, write func(io.Writer) error) error {
	const onlyOwner = 0o600
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, onlyOwner) //nolint:gosec // the operator names it
	if err != nil {
		return cli.Setting(fmt.Errorf("write members: %w", err))
	}
	buffered := bufio.NewWriter(file)
	if err := errors.Join(write(buffered), buffered.Flush(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("write members: %w", err)
	}
	return nil
}
