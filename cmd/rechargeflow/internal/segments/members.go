package segments

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// member is a member as it is printed.
type member struct {
	ID    string `json:"recharge_customer_id"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"` // as typed
}

// format writes members.
type format struct {
	begin func() error
	each  func(member) error
	end   func() error
}

func nothing() error { return nil }

// lines prints a line for each member.
func lines(out io.Writer) format {
	return format{
		begin: nothing, end: nothing,
		each: func(m member) error {
			_, err := fmt.Fprintf(out, "%-14s  %-40s  %s\n", cli.Printable(m.ID), cli.Printable(m.Email), cli.Printable(m.Phone))
			return err
		},
	}
}

// asCSV writes CSV with a head.
func asCSV(out io.Writer) format {
	w := csv.NewWriter(out)
	return format{
		begin: func() error { return w.Write([]string{"recharge_customer_id", "email", "phone"}) },
		each:  func(m member) error { return w.Write([]string{m.ID, m.Email, m.Phone}) },
		end: func() error {
			w.Flush()
			return w.Error()
		},
	}
}

// asJSON writes a JSON array, a member on each line.
func asJSON(out io.Writer) format {
	separator := "["
	return format{
		begin: nothing,
		each: func(m member) error {
			value, err := json.Marshal(m)
			if err == nil {
				_, err = fmt.Fprintf(out, "%s\n  %s", separator, value)
				separator = ","
			}
			return err
		},
		end: func() error {
			if separator == "[" {
				_, err := fmt.Fprintln(out, "[]")
				return err
			}
			_, err := fmt.Fprint(out, "\n]\n")
			return err
		},
	}
}

// formatOf returns what writes a format.
func formatOf(name string, out io.Writer) (format, error) {
	switch name {
	case "csv":
		return asCSV(out), nil
	case "json":
		return asJSON(out), nil
	}
	return format{}, cli.Usage(fmt.Errorf("--format is %q, expected csv or json", name))
}

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
		out := lines(command.OutOrStdout())
		written, all, err := f.write(command, args[0], out, *limit)
		if err != nil {
			return err
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
func (f *memberFlags) export(command *cobra.Command, arg, name, path string) (written int, err error) {
	if path == "" {
		out, err := formatOf(name, command.OutOrStdout())
		if err == nil {
			written, _, err = f.write(command, arg, out, 0)
		}
		return written, err
	}
	if _, err := formatOf(name, io.Discard); err != nil {
		return 0, err
	}
	err = replace(path, func(file io.Writer) error {
		out, err := formatOf(name, file)
		if err == nil {
			written, _, err = f.write(command, arg, out, 0)
		}
		return err
	})
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

// write writes up to limit members, all for 0, and counts them.
func (f *memberFlags) write(command *cobra.Command, arg string, out format, limit int) (written, all int, err error) {
	s, err := f.open()
	if err != nil {
		return 0, 0, err
	}
	found, err := s.find(command, arg)
	if err != nil {
		return 0, 0, err
	}
	if err := out.begin(); err != nil {
		return 0, 0, err
	}
	mask := timeline.NewMasker(f.reveal)
	err = s.Members(command.Context(), time.Now(), found.Rule, func(row subscriber.CustomerRow) error {
		if all++; limit > 0 && all > limit {
			return nil
		}
		written++
		m := member{ID: row.RechargeCustomerID, Email: mask.Email(row.Email), Phone: row.Phone}
		if !f.reveal {
			m.Phone = maskPhone(row.Phone)
		}
		return out.each(m)
	})
	if err != nil {
		return written, all, cli.Explained(s.cfg, err)
	}
	return written, all, out.end()
}

// maskPhone masks a number as typed.
func maskPhone(phone string) string {
	if phone == "" {
		return ""
	}
	return sms.Mask(phone)
}
