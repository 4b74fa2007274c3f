// Package registration compares the webhooks that are registered at Recharge with those that a store needs, and makes them so.
//
//	wanted.go   the registrations and the scopes that a store needs
//	plan.go     Plan: each registration, wanted or found, and what is wrong with it
//	address.go  whose address it is, and why it is not the wanted one
//	apply.go    creates, changes and deletes what a plan says
//	watch.go    Watch: checks and restores while a process runs
//
// Plan has no I/O:
//
//	rows := registration.Plan(store, found)
//	results := registration.Apply(ctx, client, rows)
package registration
