package main

import (
	"cmp"
	"io"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func (c *cli) flowsPreview() *cobra.Command {
	command := &cobra.Command{
		Use:   "preview flow",
		Short: "Print a flow's text with sample values, and what it costs",
		Long: `Print a flow's text with sample values and the number of messages that are billed for it, once for each kind of webhook that
the flow can be about. --text and --file preview another text, which is not saved.`,
		Example: `  rechargeflow flows preview charge_failed --store acme
  rechargeflow flows preview charge_failed --text '{{ shop_name }}: your payment failed. {{ payment_url }}'`,
		Args:              onlyFlows(1, 1),
		ValidArgsFunction: completeFlows(),
	}
	f, other := c.addFlows(command), addText(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one array of texts")
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		text, err := other.read()
		if err != nil {
			return err
		}
		current, err := s.flow(command.Context(), flow.Key(args[0]), command.ErrOrStderr())
		if err != nil {
			return err
		}
		shown := current.Definition()
		shown.Text = cmp.Or(text, shown.Text)
		if err := flow.Check([]flow.Flow{shown}, s.Name, app.ShopOf(s.Store)); err != nil {
			return faults(err, "faults in the flow")
		}
		previews, err := flow.Previews(shown, app.ShopOf(s.Store))
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(command.OutOrStdout(), previews)
		}
		printPreviews(command.OutOrStdout(), previews)
		for _, warning := range flow.Warnings([]flow.Flow{shown}) {
			printf(command.ErrOrStderr(), "warning: %v\n", warning)
		}
		return nil
	}
	return command
}

func printPreviews(out io.Writer, previews []flow.Preview) {
	for _, p := range previews {
		parts := "parts"
		if p.Parts == 1 {
			parts = "part"
		}
		printf(out, "# %s: %d characters, %s, %d %s\n%s\n", p.About, p.Characters, p.Encoding, p.Parts, parts, p.Text)
	}
}
