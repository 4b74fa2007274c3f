package deadletters

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// letterFilter is the flags that select dead letters.
type letterFilter struct {
	*cli.Settings

	role, since, until string
	filter             deadletter.Filter
}

// addFilter gives a command the flags that select dead letters, and --config.
func (c *commands) addFilter(command *cobra.Command) *letterFilter {
	f := &letterFilter{Settings: c.AddSettings(command)}
	flags := command.Flags()
	flags.StringVar(&f.role, "role", "", "only dead letters of this `role`: "+app.JoinRoles(topology.Consumers()))
	flags.StringVar(&f.filter.Store, "store", "", "only dead letters of this `store`")
	flags.StringVar(&f.filter.Reason, "reason", "", "only dead letters with this `reason`, such as refused")
	flags.StringVar(&f.filter.Key, "key", "", "only dead letters of records with this `key`, such as acme/246936001")
	flags.StringVar(&f.since, "since", "", "only dead letters written at this `time` or later: "+cli.TimeForms)
	flags.StringVar(&f.until, "until", "", "only dead letters written before this `time`")
	cli.Complete(command, "role", cli.CompleteRoles(topology.Consumers()))
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	cli.Complete(command, "reason", cli.CompleteReasons())
	return f
}

// roles are the roles whose dead letters are selected.
func (f *letterFilter) roles() ([]topology.Role, error) {
	all := topology.Consumers()
	if f.role == "" {
		return all, nil
	}
	if !slices.Contains(all, topology.Role(f.role)) {
		return nil, fmt.Errorf("role %q has no dead letters; roles are %s", f.role, app.JoinRoles(all))
	}
	return []topology.Role{topology.Role(f.role)}, nil
}

// times reads --since and --until.
func (f *letterFilter) times(now time.Time) (err error) {
	if f.filter.Since, err = cli.ParseTime("since", f.since, now); err != nil {
		return err
	}
	f.filter.Until, err = cli.ParseTime("until", f.until, now)
	return err
}

// letterName names one dead letter, such as tracking/3/17.
type letterName struct {
	role     topology.Role
	position deadletter.Position
}

// String returns role/partition/offset.
func (n letterName) String() string { return string(n.role) + "/" + n.position.String() }

// parseLetter parses the form that String returns.
func parseLetter(text string) (letterName, error) {
	role, rest, _ := strings.Cut(text, "/")
	position, err := deadletter.ParsePosition(rest)
	if err != nil || !slices.Contains(topology.Consumers(), topology.Role(role)) {
		return letterName{}, fmt.Errorf("%q is not the name of a dead letter: expected role/partition/offset, such as tracking/3/17", text)
	}
	return letterName{role: topology.Role(role), position: position}, nil
}

// lettersOf returns the topics of a role's dead letters.
func lettersOf(cfg config.Config, role topology.Role) deadletter.Topics {
	topics := topology.Topics{Prefix: cfg.Kafka.TopicPrefix}
	return deadletter.Topics{Letters: topics.DeadLetters(role), Redrive: topics.Redrive(role)}
}

// letterLine formats a dead letter as one line; letterHead is the table header.
const letterHead = "LETTER                WRITTEN               STORE         KEY                       REASON               TRIES  SENT  CAUSE\n"

func letterLine(role topology.Role, found deadletter.Found) string {
	return fmt.Sprintf("%-21s %-21s %-13s %-25s %-20s %5d %5d  %s\n",
		letterName{role, found.Position}, found.Stored.Time.UTC().Format(time.RFC3339),
		cli.Printable(found.Store()), cli.Printable(string(found.Stored.Key)), cli.Printable(found.Reason), found.Attempts, found.Sent,
		shortened(cli.Printable(found.Error)))
}

func shortened(text string) string {
	const most = 80
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}
