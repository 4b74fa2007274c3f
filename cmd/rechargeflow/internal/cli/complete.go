package cli

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// CompleteRoles completes the names of roles.
func CompleteRoles(roles []topology.Role) cobra.CompletionFunc {
	var names []cobra.Completion
	for _, role := range roles {
		names = append(names, string(role))
	}
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

// CompleteStores completes the names of the configured stores.
func CompleteStores(s *Settings) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		loaded, _ := s.Load() // the stores of a faulty file are of use, too
		var names []cobra.Completion
		for _, store := range loaded.Config.Stores {
			names = append(names, store.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteReasons completes the reasons of dead letters.
func CompleteReasons() cobra.CompletionFunc {
	var names []cobra.Completion
	for _, why := range reason.OfDeadLetters() {
		names = append(names, string(why))
	}
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

// CompleteTopics completes Recharge's topics.
func CompleteTopics() cobra.CompletionFunc {
	var names []cobra.Completion
	for _, topic := range recharge.Topics() {
		names = append(names, string(topic))
	}
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

// Complete completes the values of a command's flag.
func Complete(command *cobra.Command, flag string, values cobra.CompletionFunc) {
	_ = command.RegisterFlagCompletionFunc(flag, values) // fails only for an unknown flag
}
