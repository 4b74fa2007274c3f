package deadletters

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

type commands struct{ *cli.CLI }

// Command returns the command.
func Command(c *cli.CLI) *cobra.Command { return (&commands{c}).deadLetterCommand() }

func (c *commands) deadLetterCommand() *cobra.Command {
	return cli.Group("deadletter", "List, show or replay dead letters",
		`List, show or replay dead letters: records that a role rejected, with the cause. A dead letter is named
role/partition/offset, such as tracking/3/17.`,
		c.deadLetterList(), c.deadLetterShow(), c.deadLetterReplay())
}

// deadLetterList prints dead letters, and how many there are by role and reason.
func (c *commands) deadLetterList() *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "Print dead letters, their errors, and how often they were sent again",
		Long: `Print one line per dead letter: name, time, store, key, reason, attempts of the role (TRIES), how often it was sent
to the role again (SENT), and the error. The last lines count dead letters by role and reason.`,
		Example: `  rechargeflow deadletter list --since 7d
  rechargeflow deadletter list --role tracking --store acme --reason refused`,
		Args: cli.NoArguments,
	}
	f := c.addFilter(command)
	limit := command.Flags().Int("limit", 200, "maximum number of `lines` to print, 0 for all; the counts include all dead letters")
	command.RunE = func(command *cobra.Command, _ []string) error {
		roles, err := f.roles()
		if err == nil {
			err = f.times(time.Now())
		}
		if err != nil {
			return cli.Usage(err)
		}
		loaded, err := f.Load()
		if err != nil {
			return err
		}
		cluster, err := cli.ClusterOf(loaded.Config)
		if err != nil {
			return err
		}
		list := listing{out: command.OutOrStdout(), limit: *limit, counts: map[string]tally{}}
		for _, role := range roles {
			for found, err := range deadletter.Search(command.Context(), cluster, lettersOf(loaded.Config, role), f.filter) {
				if err != nil {
					return cli.Explained(loaded.Config, err)
				}
				list.add(role, found)
			}
		}
		list.sum()
		return nil
	}
	return command
}

// listing prints dead letters as they arrive, and counts them.
type listing struct {
	out     io.Writer
	limit   int
	printed int
	total   int
	counts  map[string]tally // by role and reason
}

func (l *listing) add(role topology.Role, found deadletter.Found) {
	if l.total++; l.limit == 0 || l.printed < l.limit {
		if l.printed++; l.printed == 1 {
			cli.Printf(l.out, "%s", letterHead)
		}
		cli.Printf(l.out, "%s", letterLine(role, found))
	}
	kind := string(role) + " " + cli.Printable(found.Reason)
	l.counts[kind] = l.counts[kind].plus(found)
}

func (l *listing) sum() {
	if l.printed < l.total {
		cli.Printf(l.out, "... and %d more: --limit 0 prints them\n", l.total-l.printed)
	}
	cli.Printf(l.out, "dead letters: %d\n", l.total)
	for _, kind := range slices.Sorted(maps.Keys(l.counts)) {
		cli.Printf(l.out, "  %s: %d, sent again: %d\n", kind, l.counts[kind].letters, l.counts[kind].sent)
	}
}

// tally counts dead letters, and how many of them were replayed.
type tally struct{ letters, sent int }

func (t tally) plus(found deadletter.Found) tally {
	t.letters++
	if found.Sent > 0 {
		t.sent++
	}
	return t
}

// deadLetterShow prints one dead letter. Its body is personal data and is printed on demand only.
func (c *commands) deadLetterShow() *cobra.Command {
	command := &cobra.Command{
		Use:   "show role/partition/offset",
		Short: "Print one dead letter; with --body also its body, which has personal data",
		Long: `Print one dead letter: the original position, the reason and error, the attempts and the headers. Key and headers
contain the customer's ID. The body contains personal data and is printed only with --body.`,
		Example: `  rechargeflow deadletter show tracking/3/17`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usage(errors.New("expected the name of one dead letter, role/partition/offset, as list prints it"))
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := c.AddSettings(command)
	body := command.Flags().Bool("body", false, "print the record's body, byte for byte: names, addresses, phone numbers")
	command.RunE = func(command *cobra.Command, args []string) error {
		name, err := parseLetter(args[0])
		if err != nil {
			return cli.Usage(err)
		}
		loaded, err := s.Load()
		if err != nil {
			return err
		}
		cluster, err := cli.ClusterOf(loaded.Config)
		if err != nil {
			return err
		}
		topics := lettersOf(loaded.Config, name.role)
		stored, err := kafka.ReadRecord(command.Context(), cluster, topics.Letters, name.position.Partition, name.position.Offset)
		if err != nil {
			return cli.Explained(loaded.Config, err)
		}
		printLetter(command.OutOrStdout(), name, topics, deadletter.Read(stored), *body)
		return nil
	}
	return command
}

func printLetter(out io.Writer, name letterName, topics deadletter.Topics, letter deadletter.Letter, body bool) {
	cli.Printf(out, "letter:   %s, in %s\n", name, topics.Letters)
	cli.Printf(out, "record:   %s/%d/%d of %s\n", cli.Printable(letter.Record.Topic), letter.Record.Partition, letter.Record.Offset, letter.Record.Time.Format(time.RFC3339Nano))
	cli.Printf(out, "key:      %s\n", cli.Printable(string(letter.Record.Key)))
	cli.Printf(out, "reason:   %s\ncause:    %s\n", cli.Printable(letter.Reason), cli.Printable(letter.Error))
	cli.Printf(out, "attempts: %d, first %s, last %s\n", letter.Attempts, letter.First.Format(time.RFC3339Nano), letter.Last.Format(time.RFC3339Nano))
	cli.Printf(out, "headers of the record:\n")
	for _, h := range letter.Record.Headers {
		cli.Printf(out, "  %s: %s\n", cli.Printable(h.Key), headerValue(h.Value))
	}
	if !body {
		cli.Printf(out, "body:     %d bytes; --body prints them\n", len(letter.Record.Value))
		return
	}
	cli.Printf(out, "body:\n%s\n", letter.Record.Value)
}

func headerValue(value []byte) string {
	if !utf8.Valid(value) {
		return fmt.Sprintf("%d bytes, not UTF-8 text", len(value))
	}
	return cli.Printable(string(value))
}
