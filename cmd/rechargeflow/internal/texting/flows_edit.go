package texting

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

// noVersion is the value of --version that accepts any.
const noVersion = -1

// textFlags are the flags that give a text.
type textFlags struct{ text, file string }

func addText(command *cobra.Command) *textFlags {
	t := &textFlags{}
	command.Flags().StringVar(&t.text, "text", "", "the new `text`, a Liquid template")
	command.Flags().StringVar(&t.file, "file", "", "`file` with the new text, in place of --text")
	command.MarkFlagsMutuallyExclusive("text", "file")
	return t
}

// read returns the text that the flags give, "" for none.
func (t *textFlags) read() (string, error) {
	if t.file == "" {
		return t.text, nil
	}
	content, err := os.ReadFile(t.file)
	if err != nil {
		return "", cli.Setting(fmt.Errorf("read text: %w", err))
	}
	if text := strings.TrimSpace(string(content)); text != "" {
		return text, nil
	}
	return "", cli.Setting(fmt.Errorf("read text: %s is empty", t.file))
}

// edits are the flags of flows edit.
type edits struct {
	*textFlags

	name             string
	quiet, dailyCap  bool
	window           time.Duration
	perCharge        int
	restore, version int
}

func (c *commands) flowsEdit() *cobra.Command {
	command := &cobra.Command{
		Use:   "edit flow",
		Short: "Change the text of a flow, or restore an earlier version",
		Long: `Change the text of a flow, its name, quiet hours, window or caps, or restore an earlier version of it. The change is written if the text
renders for every webhook that the flow can be about. --version is the version that you have looked at: the command fails if somebody
else has changed the flow since.`,
		Example: `  rechargeflow flows edit charge_paid --text '{{ shop_name }}: thank you!'
  rechargeflow flows edit charge_paid --file charge_paid.liquid --version 4
  rechargeflow flows edit charge_paid --restore 3`,
		Args:              onlyFlows(1, 1),
		ValidArgsFunction: completeFlows(),
	}
	f, by, e := c.addFlows(command), c.addBy(command), &edits{textFlags: addText(command)}
	flags := command.Flags()
	flags.StringVar(&e.name, "name", "", "the new display `name`")
	flags.BoolVar(&e.quiet, "quiet-hours", false, "hold texts back during quiet hours")
	flags.DurationVar(&e.window, "window", 0, "longest `time` between two webhooks of one text, such as 60s")
	flags.IntVar(&e.perCharge, "per-charge", 0, "largest `number` of texts about one charge, 0 for any")
	flags.BoolVar(&e.dailyCap, "daily-cap", true, "send none to a customer who had the largest number of texts of a day")
	flags.IntVar(&e.restore, "restore", noVersion, "`version` of which everything is restored, except whether it is active; 0 is the built-in flow")
	flags.IntVar(&e.version, "version", noVersion, "`version` that the flow must have")
	for _, other := range append([]string{"text", "file", "name"}, limitFlags()...) {
		command.MarkFlagsMutuallyExclusive("restore", other)
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		edit, err := e.edit(command, s, flow.Key(args[0]))
		if err != nil {
			return err
		}
		return s.change(command, *by, func(flows []live.Flow) error {
			return edit(&flows[flowedit.IndexOf(flows, flow.Key(args[0]))])
		})
	}
	return command
}

// edit returns what changes the flow.
func (e *edits) edit(command *cobra.Command, s shop, key flow.Key) (func(*live.Flow) error, error) {
	define, err := e.definition(command, s, key)
	if err != nil {
		return nil, err
	}
	return func(f *live.Flow) error {
		if e.version != noVersion {
			if err := f.Expect(e.version); err != nil {
				return err
			}
		}
		define(f)
		return nil
	}, nil
}

// definition returns what sets the new values of the flow.
func (e *edits) definition(command *cobra.Command, s shop, key flow.Key) (func(*live.Flow), error) {
	if e.restore != noVersion {
		earlier, err := s.version(command, key, e.restore)
		if err != nil {
			return nil, err
		}
		return func(f *live.Flow) { flowedit.Restore(f, *earlier) }, nil
	}
	text, err := e.read()
	if err == nil && text == "" && e.name == "" && !slices.ContainsFunc(limitFlags(), command.Flags().Changed) {
		err = cli.Usage(fmt.Errorf("nothing to change: give --text, --file, --name, --%s or --restore", strings.Join(limitFlags(), ", --")))
	}
	draft := e.draft(command, text)
	return func(f *live.Flow) { f.Define(draft.Apply(f.Definition())) }, err
}

// limitFlags are the flags about when and how often a flow's texts are sent.
func limitFlags() []string { return []string{"quiet-hours", "window", "per-charge", "daily-cap"} }

// draft returns what the flags change.
func (e *edits) draft(command *cobra.Command, text string) (d flowedit.Draft) {
	given := command.Flags().Changed
	if text != "" {
		d.Text = &text
	}
	if e.name != "" {
		d.Name = &e.name
	}
	if given("quiet-hours") {
		d.QuietHours = &e.quiet
	}
	if given("window") {
		seconds := e.window.Seconds()
		d.WindowSeconds = &seconds
	}
	if given("per-charge") {
		d.PerCharge = &e.perCharge
	}
	if given("daily-cap") {
		d.DailyCap = &e.dailyCap
	}
	return d
}

// version returns a flow at a version.
func (s shop) version(command *cobra.Command, key flow.Key, number int) (*live.Flow, error) {
	rows, err := s.rows(command.Context(), command.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	found, err := app.EditorOf(s.Store).Version(rows, key, number)
	if errors.Is(err, flowedit.ErrNoVersion) {
		err = cli.Usage(err)
	}
	return &found, err
}

func (c *commands) flowsActivate(active bool) *cobra.Command {
	name, short := "activate", "Send the texts of flows"
	if !active {
		name, short = "deactivate", "Stop sending the texts of flows"
	}
	command := &cobra.Command{
		Use:               name + " flow...",
		Short:             short,
		Long:              short + ". All flows are changed or, if one has a fault, none.",
		Example:           "  rechargeflow flows " + name + " charge_paid charge_failed --store acme",
		Args:              onlyFlows(1, len(flow.Keys())),
		ValidArgsFunction: completeFlows(),
	}
	f, by := c.addFlows(command), c.addBy(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		return s.change(command, *by, func(flows []live.Flow) error {
			for _, key := range args {
				flows[flowedit.IndexOf(flows, flow.Key(key))].Active = active
			}
			return nil
		})
	}
	return command
}
