package main

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// completeRoles completes the names of roles.
func completeRoles(roles []topology.Role) cobra.CompletionFunc {
	var names []cobra.Completion
	for _, role := range roles {
		names = append(names, string(role))
	}
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

// completeStores completes the names of the configured stores.
func completeStores(s *settings) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		loaded, _ := s.load() // the stores of a faulty file are of use, too
		var names []cobra.Completion
		for _, store := range loaded.Config.Stores {
			names = append(names, store.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeReasons completes the reasons of dead letters.
func completeReasons() cobra.CompletionFunc {
	var names []cobra.Completion
	for _, why := range reason.OfDeadLetters() {
		names = append(names, string(why))
	}
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

// complete completes the values of a command's flag.
func complete(command *cobra.Command, flag string, values cobra.CompletionFunc) {
	_ = command.RegisterFlagCompletionFunc(flag, values) // fails only for an unknown flag
}
